/// A look at the keys of a JSON object, for what the readers of other languages make of them.
#pragma once

#include <string_view>

namespace gateway {

/// Whether a key of the object is `key` but for the case of its letters: "Model". Readers in Go
/// (encoding/json) take it for `key`, and of two for the last. `json` has been found good, `key` is
/// ASCII. Costs a pass over the text, strings skipped.
bool has_key_in_other_letters(std::string_view json, std::string_view key);

}  // namespace gateway
