// JSON strings quoted and read.
#include <catch2/catch.hpp>
#include <llmroute/text.hpp>
#include <llmroute/wire/json_text.hpp>

using llmroute::edit_distance;
using llmroute::nearest;
using llmroute::wire::append_unescaped;
using llmroute::wire::json_quote;

namespace {

std::string unescaped(std::string_view inside) {
  std::string out = ">";
  append_unescaped(out, inside);
  return out.substr(1);
}

}  // namespace

TEST_CASE("text is quoted as a JSON string", "[json]") {
  CHECK(json_quote("") == R"("")");
  CHECK(json_quote("plain / text") == R"("plain / text")");
  CHECK(json_quote("a\"b\\c") == R"("a\"b\\c")");
  CHECK(json_quote("\n\r\t") == R"("\n\r\t")");
  CHECK(json_quote(std::string_view("\0\x01\x1f\x7f", 4)) == "\"\\u0000\\u0001\\u001f\x7f\"");
  CHECK(json_quote("\xC3\xA9\xF0\x9F\x98\x80") == "\"\xC3\xA9\xF0\x9F\x98\x80\"");
}

TEST_CASE("a JSON string's escapes are resolved", "[json]") {
  CHECK(unescaped("plain") == "plain");
  CHECK(unescaped("").empty());
  CHECK(unescaped(R"(a\"b\\c\/d)") == "a\"b\\c/d");
  CHECK(unescaped(R"(\n\r\t\b\f)") == "\n\r\t\b\f");
  CHECK(unescaped(R"(\u0041\u00e9\u20AC)") == "A\xC3\xA9\xE2\x82\xAC");
  CHECK(unescaped(R"(x\u0000y)") == std::string("x\0y", 3));
}

TEST_CASE("surrogate pairs become one character, halves the replacement", "[json]") {
  const std::string replacement = "\xEF\xBF\xBD";
  CHECK(unescaped(R"(\ud83d\ude00!)") == "\xF0\x9F\x98\x80!");
  CHECK(unescaped(R"(\uD800\uDC00)") == "\xF0\x90\x80\x80");
  CHECK(unescaped(R"(\uDBFF\uDFFF)") == "\xF4\x8F\xBF\xBF");
  CHECK(unescaped(R"(\ud83d)") == replacement);
  CHECK(unescaped(R"(\ud83dxyz)") == replacement + "xyz");
  CHECK(unescaped(R"(\ude00\ud83d)") == replacement + replacement);
  CHECK(unescaped(R"(\ud83d\u0041)") == replacement + "A");
  CHECK(unescaped(R"(\ud83d\n12345)") == replacement + "\n12345");
}

TEST_CASE("what is no proper JSON escape is kept as it stands", "[json]") {
  CHECK(unescaped(R"(a\xb)") == R"(a\xb)");
  CHECK(unescaped(R"(\u12)") == R"(\u12)");
  CHECK(unescaped(R"(\u12g4)") == R"(\u12g4)");
  CHECK(unescaped("a\\") == "a\\");
}

TEST_CASE("quoted text reads back as it was", "[json]") {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  const std::string quoted = json_quote(all);
  CHECK(unescaped(std::string_view(quoted).substr(1, quoted.size() - 2)) == all);
}

TEST_CASE("the distance of two words counts letters put in, left out and changed", "[text]") {
  CHECK(edit_distance("", "") == 0);
  CHECK(edit_distance("abc", "abc") == 0);
  CHECK(edit_distance("", "abc") == 3);
  CHECK(edit_distance("abc", "") == 3);
  CHECK(edit_distance("kitten", "sitting") == 3);
  CHECK(edit_distance("timeout", "timeuot") == 2);
}

TEST_CASE("the nearest word is the one offered", "[text]") {
  const std::vector<std::string_view> words{"router", "timeouts", "nodes"};
  CHECK(nearest("timeuots", words) == "timeouts");
  CHECK(nearest("node", words) == "nodes");
  CHECK(nearest("x", {}).empty());
}
