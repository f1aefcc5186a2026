/// /admin/v1/models/{id}/backends.
#pragma once

#include "desk.hpp"

namespace gateway {

AdminAnswer add_backend(const AdminDesk& desk, const AdminRequest& request);
AdminAnswer change_backend(const AdminDesk& desk, const AdminRequest& request);
AdminAnswer delete_backend(const AdminDesk& desk, const AdminRequest& request);

}  // namespace gateway
