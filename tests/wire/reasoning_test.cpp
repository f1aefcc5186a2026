// How thinking is turned on, for each kind of node.
#include <catch2/catch.hpp>
#include <llmroute/wire/reasoning.hpp>

using namespace llmroute;
using namespace llmroute::wire;

namespace {

constexpr std::string_view chat = "/v1/chat/completions";

std::string sent(std::string_view body, std::string_view config, Provider provider,
                 std::string_view path = chat) {
  const Reasoning reasoning = read_reasoning(config).value();
  return splice(body, set_reasoning(body, read_request(body).value(), reasoning, provider, path));
}

}  // namespace

TEST_CASE("thinking is a switch of the chat template for engines that have one", "[reasoning]") {
  const auto provider =
      GENERATE(Provider::automatic, Provider::vllm, Provider::sglang, Provider::llamacpp);
  CHECK(sent(R"({"a":1})", R"({"enabled":true})", provider) ==
        R"({"chat_template_kwargs":{"enable_thinking":true},"a":1})");
  CHECK(sent(R"({"a":1})", R"({"enabled":false})", provider) ==
        R"({"chat_template_kwargs":{"enable_thinking":false},"a":1})");
  CHECK(sent(R"({"a":1})", R"({"enabled":true})", provider, "/v1/completions") == R"({"a":1})");
}

TEST_CASE("the caller's own settings of the template are completed, not overridden",
          "[reasoning]") {
  const std::string_view on = R"({"enabled":true})";
  CHECK(sent(R"({"chat_template_kwargs": { "x":1} })", on, Provider::vllm) ==
        R"({"chat_template_kwargs": {"enable_thinking":true, "x":1} })");
  CHECK(sent(R"({"chat_template_kwargs":{}})", on, Provider::vllm) ==
        R"({"chat_template_kwargs":{"enable_thinking":true}})");
  for (const char* own : {R"({"chat_template_kwargs":{"enable_thinking":false}})",
                          R"({"chat_template_kwargs":null})", R"({"chat_template_kwargs":[1]})"}) {
    CAPTURE(own);
    CHECK(sent(own, on, Provider::vllm) == own);
  }
}

TEST_CASE("an effort goes to those who read it", "[reasoning]") {
  const std::string_view config = R"({"enabled":true,"effort":"high"})";
  for (const Provider provider : {Provider::openai, Provider::azure}) {
    CHECK(sent(R"({"a":1})", config, provider) == R"({"reasoning_effort":"high","a":1})");
  }
  for (const Provider provider : {Provider::automatic, Provider::sglang}) {
    CHECK(sent(R"({"a":1})", config, provider) ==
          R"({"chat_template_kwargs":{"enable_thinking":true},"reasoning_effort":"high","a":1})");
  }
  for (const Provider provider : {Provider::openai, Provider::azure, Provider::automatic}) {
    CHECK(sent(R"({"a":1})", config, provider, "/v1/responses") ==
          R"({"reasoning":{"effort":"high"},"a":1})");
  }
  CHECK(sent(R"({"a":1})", config, Provider::triton) == R"({"a":1})");
  CHECK(sent(R"({"reasoning_effort":"low"})", config, Provider::openai) ==
        R"({"reasoning_effort":"low"})");
  CHECK(sent(R"({"a":1})", R"({"enabled":false,"effort":"high"})", Provider::openai) ==
        R"({"a":1})");
  CHECK(sent(R"({"a":1})", R"({"reasoning_effort":"low"})", Provider::openai) ==
        R"({"reasoning_effort":"low","a":1})");
}

TEST_CASE("Anthropic's thinking has a budget", "[reasoning]") {
  CHECK(sent(R"({"a":1})", R"({"enabled":true,"budget_tokens":2048})", Provider::anthropic) ==
        R"({"thinking":{"type":"enabled","budget_tokens":2048},"a":1})");
  CHECK(sent(R"({"a":1})", R"({"enabled":true})", Provider::anthropic, "/v1/messages") ==
        R"({"thinking":{"type":"enabled","budget_tokens":1024},"a":1})");
  CHECK(sent(R"({"a":1})", R"({"enabled":false})", Provider::anthropic) ==
        R"({"thinking":{"type":"disabled"},"a":1})");
  CHECK(sent(R"({"thinking":{}})", R"({"enabled":true})", Provider::anthropic) ==
        R"({"thinking":{}})");
}

TEST_CASE("what else is configured goes to every node as it is", "[reasoning]") {
  CHECK(sent(R"({"a":1})", R"({"enabled":true,"separate_reasoning":true,"a":2})",
             Provider::triton) == R"({"separate_reasoning":true,"a":1})");
  CHECK(sent(R"({"a":1})", R"({"enabled":true,"chat_template_kwargs":{"thinking":true}})",
             Provider::vllm) == R"({"chat_template_kwargs":{"thinking":true},"a":1})");
  CHECK(sent(R"({"chat_template_kwargs":{"x":1}})",
             R"({"enabled":true,"chat_template_kwargs":{"thinking":true}})",
             Provider::vllm) == R"({"chat_template_kwargs":{"x":1}})");
}

TEST_CASE("an empty request or setting adds nothing", "[reasoning]") {
  CHECK(sent("{}", R"({"enabled":true})", Provider::vllm) == "{}");
  CHECK(sent(R"({"a":1})", "{}", Provider::vllm) == R"({"a":1})");
  CHECK_FALSE(read_reasoning("{}")->any());
  CHECK(read_reasoning(R"({"x":1})")->any());
  CHECK(reasoning_fields({}, Provider::vllm, chat).empty());
}

TEST_CASE("a bad setting is named", "[reasoning]") {
  for (const auto& [config, param] :
       {std::pair{R"({"enabled":1})", "enabled"}, std::pair{R"({"effort":true})", "effort"},
        std::pair{R"({"budget_tokens":"5"})", "budget_tokens"},
        std::pair{R"({"budget_tokens":0})", "budget_tokens"},
        std::pair{R"({"budget_tokens":1.5})", "budget_tokens"}, std::pair{"[]", ""}}) {
    CAPTURE(config);
    const Result<Reasoning> reasoning = read_reasoning(config);
    REQUIRE_FALSE(reasoning);
    CHECK(reasoning.error().param == param);
    CHECK_FALSE(reasoning.error().message.empty());
  }
}
