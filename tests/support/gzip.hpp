/// Bodies that a node has packed without being asked to.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace llmroute::test {

/// A gzip file with the text in it, stored.
std::string gzip(std::string_view text);

/// A gzip file that unpacks to that many zeros or a few more, about 159 times its size.
std::string gzip_bomb(std::size_t unpacked);

}  // namespace llmroute::test
