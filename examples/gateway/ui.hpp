/// GET /ui: a page that shows GET /stats every two seconds. It has no data of its own: where a
/// token is needed, it asks for one and keeps it as long as its tab is open.
#pragma once

#include <string_view>

namespace gateway {

std::string_view ui_page();

/// Nothing is loaded from elsewhere, and nothing is sent there.
inline constexpr std::string_view ui_policy =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "connect-src 'self'; form-action 'none'; frame-ancestors 'none'";

}  // namespace gateway
