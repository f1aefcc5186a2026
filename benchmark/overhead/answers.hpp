/// What the node answers, as vLLM words it.
#pragma once

#include <string>
#include <string_view>

namespace bench {

std::string plain_answer();  ///< head and body
std::string stream_head();
std::string stream_chunk();  ///< one event as one HTTP chunk
std::string stream_end();    ///< [DONE] and the last chunk

std::string_view question(bool stream);  ///< a body that asks for either

/// The whole request, with a caller's key unless that is empty.
std::string post(std::string_view body, std::string_view key);

}  // namespace bench
