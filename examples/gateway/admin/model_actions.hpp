/// /admin/v1/models and what is below it.
#pragma once

#include "desk.hpp"

namespace gateway {

AdminAnswer list_models(const AdminDesk& desk, const AdminRequest& request);
AdminAnswer create_model(const AdminDesk& desk, const AdminRequest& request);
AdminAnswer read_model(const AdminDesk& desk, const AdminRequest& request);
AdminAnswer change_model(const AdminDesk& desk, const AdminRequest& request);
AdminAnswer delete_model(const AdminDesk& desk, const AdminRequest& request);

}  // namespace gateway
