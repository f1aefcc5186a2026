/// Records as the admin API shows them. No key and no hash of one is in here.
#pragma once

#include <string>
#include <string_view>

#include "gateway/store/records.hpp"

namespace gateway {

/// `source` is the file that a read-only one comes from; empty: it is in the store.
std::string admin_json(const ModelRecord& model, std::string_view source = {});
std::string admin_json(const BackendRecord& backend);
std::string admin_json(const KeyRecord& key);

}  // namespace gateway
