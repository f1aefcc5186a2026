/// /admin/v1/keys.
#pragma once

#include "desk.hpp"

namespace gateway {

AdminAnswer list_keys(const AdminDesk& desk, const AdminRequest& request);
AdminAnswer create_key(const AdminDesk& desk, const AdminRequest& request);
AdminAnswer read_key(const AdminDesk& desk, const AdminRequest& request);
AdminAnswer change_key(const AdminDesk& desk, const AdminRequest& request);

/// The row stays, inactive.
AdminAnswer revoke_key(const AdminDesk& desk, const AdminRequest& request);

}  // namespace gateway
