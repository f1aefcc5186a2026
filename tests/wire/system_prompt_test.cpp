// Text in front of a chat's instructions.
#include <catch2/catch.hpp>
#include <llmroute/wire/system_prompt.hpp>
#include <string>

using namespace llmroute::wire;

namespace {

std::string prefixed(std::string_view messages, std::string_view prefix = "P. ") {
  const std::optional<Edit> edit = prefix_system_prompt(messages, prefix);
  REQUIRE(edit);
  return splice(messages, {*edit});
}

}  // namespace

TEST_CASE("a prefix comes first in the text of the first instruction", "[system_prompt]") {
  CHECK(prefixed(R"([{"role":"system","content":"Be brief."},{"role":"user","content":"hi"}])") ==
        R"([{"role":"system","content":"P. Be brief."},{"role":"user","content":"hi"}])");
  CHECK(prefixed(R"([{"content":"x","role":"developer"}])") ==
        R"([{"content":"P. x","role":"developer"}])");
  CHECK(prefixed(R"([ {"role":"user","content":"a"} , { "role" : "system" , "content" : "" } ])") ==
        R"([ {"role":"user","content":"a"} , { "role" : "system" , "content" : "P. " } ])");
}

TEST_CASE("later instructions stay as they are", "[system_prompt]") {
  CHECK(prefixed(R"([{"role":"system","content":"a"},{"role":"system","content":"b"}])") ==
        R"([{"role":"system","content":"P. a"},{"role":"system","content":"b"}])");
}

TEST_CASE("a prefix goes into the first part that is text", "[system_prompt]") {
  CHECK(prefixed(R"([{"role":"system","content":[{"type":"text","text":"a"},{"text":"b"}]}])") ==
        R"([{"role":"system","content":[{"type":"text","text":"P. a"},{"text":"b"}]}])");
  CHECK(prefixed(R"([{"role":"system","content":[{"type":"image"},{"text":"b"}]}])") ==
        R"([{"role":"system","content":[{"type":"image"},{"text":"P. b"}]}])");
}

TEST_CASE("parts without text get one in front", "[system_prompt]") {
  CHECK(prefixed(R"([{"role":"system","content":[]}])") ==
        R"([{"role":"system","content":[{"type":"text","text":"P. "}]}])");
  CHECK(prefixed(R"([{"role":"system","content":[{"text":null}]}])") ==
        R"([{"role":"system","content":[{"type":"text","text":"P. "},{"text":null}]}])");
}

TEST_CASE("a chat without instructions gets one", "[system_prompt]") {
  CHECK(prefixed(R"([{"role":"user","content":"hi"}])") ==
        R"([{"role":"system","content":"P. "},{"role":"user","content":"hi"}])");
  CHECK(prefixed("[ ]") == R"([{"role":"system","content":"P. "} ])");
  SECTION("also when what looks like one has no text, or is none") {
    for (const std::string odd :
         {R"({"role":"system","content":null})", R"({"role":"system"})", R"({"content":"x"})",
          R"({"role":7,"content":"x"})", R"({"role":"System","content":"x"})", "17",
          R"({"role":"user","content":"system"})"}) {
      CAPTURE(odd);
      CHECK(prefixed("[" + odd + "]") == R"([{"role":"system","content":"P. "},)" + odd + "]");
    }
  }
}

TEST_CASE("a role is known however it is written", "[system_prompt]") {
  CHECK(prefixed(R"([{"r\u006fle":"syst\u0065m","content":"\u00e9"}])") ==
        R"([{"r\u006fle":"syst\u0065m","content":"P. \u00e9"}])");
}

TEST_CASE("of fields given twice the last counts", "[system_prompt]") {
  CHECK(prefixed(R"([{"role":"user","role":"system","content":"a","content":"b"}])") ==
        R"([{"role":"user","role":"system","content":"a","content":"P. b"}])");
}

TEST_CASE("a prefix is quoted when it is put in", "[system_prompt]") {
  const std::string odd = "\"\\\n\x01\xC3\xA9";
  CHECK(prefixed(R"([{"role":"system","content":"x"}])", odd) ==
        "[{\"role\":\"system\",\"content\":\"\\\"\\\\\\n\\u0001\xC3\xA9x\"}]");
}

TEST_CASE("what is no list of messages is left to the node", "[system_prompt]") {
  CHECK_FALSE(prefix_system_prompt("\"hi\"", "P"));
  CHECK_FALSE(prefix_system_prompt("{}", "P"));
}
