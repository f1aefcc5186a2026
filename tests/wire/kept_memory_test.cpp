// What a thread keeps of the texts it has read.
#include <malloc.h>

#include <catch2/catch.hpp>
#include <llmroute/wire/check_json.hpp>
#include <llmroute/wire/request_view.hpp>
#include <string>

using namespace llmroute::wire;

namespace {

/// Bytes that the process has from malloc. Sanitizers have a malloc of their own: then it is
/// nothing, before and after.
std::size_t allocated() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

std::string request_of(std::size_t size) {
  return R"({"model":"m","messages":[{"content":")" + std::string(size, 'x') + R"("}]})";
}

void read(const std::string& body) {
  CHECK(read_request(body).has_value());
  CHECK(check_json(body, "/v1/chat/completions").has_value());
}

}  // namespace

TEST_CASE("the memory of a large text is let go", "[wire][memory]") {
  constexpr std::size_t size = 8 << 20;
  const std::string small = request_of(10);
  read(small);
  const std::size_t before = allocated();
  {
    const std::string large = request_of(size);
    read(large);
    CHECK_FALSE(check_json(large + "x", "/v1/chat/completions").has_value());
  }
  read(small);
  CHECK(allocated() < before + size / 4);
}
