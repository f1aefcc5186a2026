// The other rungs of the ladder: going on from token ids, and from the text as the answer's
// beginning.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <atomic>
#include <llmroute/wire/delta.hpp>

#include "router/router_fixture.hpp"

using namespace llmroute;
using namespace llmroute::test;

namespace {

/// Tokens of one answer; an empty text is half a character, which comes with the next.
struct Token {
  std::uint32_t id;
  std::string text;
};
const std::vector<Token> tokens{{100, "The"}, {101, " caf"}, {102, ""},   {103, "é"}, {104, " is"},
                                {105, ""},    {106, ""},     {107, "😀"}, {108, "."}};
const std::string text_of_tokens = "The café is😀.";
const std::vector<std::uint32_t> prompt_ids{7, 8, 9};

std::string ids_json(const std::vector<std::uint32_t>& ids) {
  return fmt::format("[{}]", fmt::join(ids, ","));
}

std::string chat_event(const std::string& delta, const std::string& finish, const std::string& more,
                       const std::string& ids) {
  return sse(fmt::format(
      R"({{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{{"index":0,"delta":{},"finish_reason":{},"token_ids":{}}}]{}}})",
      delta, finish, ids, more));
}

/// A chat stream as vLLM sends it, with ids where they were asked for.
std::vector<std::string> chat(bool with_ids) {
  std::vector<std::string> events;
  const std::string prompt =
      fmt::format(R"(,"prompt_token_ids":{})", with_ids ? ids_json(prompt_ids) : "null");
  events.push_back(chat_event(R"({"role":"assistant","content":""})", "null", prompt, "null"));
  for (const Token& token : tokens) {
    const bool last = token.id == tokens.back().id;
    events.push_back(chat_event(fmt::format(R"({{"content":"{}"}})", token.text),
                                last ? R"("stop")" : "null", "",
                                with_ids ? ids_json({token.id}) : "null"));
  }
  return events;
}

/// What follows `given` answer tokens, as /v1/completions streams it.
std::vector<std::string> completion(std::size_t given, std::uint32_t first_id = 0) {
  std::vector<std::string> events;
  for (std::size_t i = given; i < tokens.size(); ++i) {
    const std::uint32_t id = i == given && first_id != 0 ? first_id : tokens[i].id;
    events.push_back(sse(fmt::format(
        R"({{"id":"x","object":"text_completion","choices":[{{"index":0,"text":"{}","finish_reason":{},"token_ids":{}}}]}})",
        tokens[i].text, i + 1 == tokens.size() ? R"("stop")" : "null", ids_json({id}))));
  }
  events.push_back(sse(fmt::format(
      R"({{"id":"x","choices":[],"usage":{{"prompt_tokens":{},"completion_tokens":{},"total_tokens":{}}}}})",
      prompt_ids.size() + given, tokens.size() - given, prompt_ids.size() + tokens.size())));
  events.push_back(done());
  return events;
}

std::size_t answer_tokens_in(const std::string& body) {
  std::size_t count = 0;
  for (const Token& token : tokens) count += body.find(std::to_string(token.id)) != body.npos;
  return count;
}

/// Continues from ids; its chats are another answer, so that only ids can lead on.
Script continuing(const SeenRequest& request) {
  if (request.target == "/v1/models") {
    return answer(200, R"({"data":[{"id":"m","max_model_len":50}]})");
  }
  if (request.target == "/v1/completions") {
    return event_stream(completion(answer_tokens_in(request.body)));
  }
  return event_stream({chat_chunk("Something else"), chat_finish(), done()});
}

Config vllm_nodes(const ScriptedUpstream& a, const ScriptedUpstream& b) {
  Config config = config_of(a, b);
  for (NodeConfig& node : config.nodes) node.provider = Provider::vllm;
  return config;
}

struct Resumed {
  std::string text{};
  std::string raw{};
  int finishes = 0;
  std::optional<Error> error{};
  Reply reply{};
};

Resumed ask_with(Router& router, std::string_view body) {
  Result<Stream> stream = router.stream({.body = body});
  REQUIRE(stream);
  Collected all = collect(*stream);
  Resumed out{.raw = all.raw, .error = all.error, .reply = stream->reply()};
  for (const std::string& data : all.data) {
    CHECK(wire::read_identity(data).id == wire::read_identity(all.data.front()).id);
    for (const wire::Delta& delta : wire::read_deltas(data)) {
      out.text += delta.content;
      out.finishes += delta.finish_reason.empty() ? 0 : 1;
    }
  }
  return out;
}

/// Neither breakers nor retries are what ends a call.
void patient(Config& config) {
  config.router.max_retries = 10;
  config.breaker.consecutive_failures = 0;
  config.breaker.failure_rate = 0;
}

const std::string limited =
    R"({"model":"m","messages":[{"role":"user","content":"hi"}],"max_tokens":20,"temperature":0.5})";

}  // namespace

TEST_CASE("a stream with token ids goes on from them", "[router][resume][ids]") {
  const Script whole = event_stream(chat(true), Ending::open);
  for (std::size_t cut = 300; cut < whole.size(); cut += 5) {
    CAPTURE(cut);
    ScriptedUpstream bad(Script(whole).cut_at(cut));
    ScriptedUpstream good(continuing);
    Router router(vllm_nodes(bad, good));
    const Resumed out = ask_with(router, limited);
    if (bad.requests()[0].body.find("return_token_ids") == std::string::npos) FAIL("no ids asked");
    if (out.error) {  // nothing was delivered: the other answer would have been whole
      FAIL(out.error->message);
    }
    if (out.text == "Something else") continue;  // cut before the first content: a plain retry
    CHECK(out.text == text_of_tokens);
    CHECK(out.finishes == 1);
    CHECK(out.raw.find("token_ids\":[") == std::string::npos);
    if (out.reply.attempts.size() < 2) continue;
    REQUIRE(out.reply.attempts[1].rung == Rung::ids);
    CHECK(out.reply.usage.prompt_tokens == 3);
    CHECK(out.reply.usage.completion_tokens == 9);
    const std::string body = good.requests()[0].body;
    const std::size_t given = answer_tokens_in(body);
    CHECK(body.find(fmt::format(R"("max_tokens":{})", 20 - given)) != std::string::npos);
    CHECK(body.find(R"("temperature":0.5)") != std::string::npos);
    CHECK(tokens[given - 1].text != "");  // never from the middle of a character
  }
}

TEST_CASE("a stream with token ids may die again and again", "[router][resume][ids]") {
  const int faults = GENERATE(2, 3);
  const Script whole = event_stream(chat(true), Ending::open);
  for (std::size_t cut = 700; cut < whole.size(); cut += 23) {
    CAPTURE(faults, cut);
    ScriptedUpstream lone([&](const SeenRequest& request) {
      Script script = request.target == "/v1/completions" ? continuing(request) : Script(whole);
      // Each later stream dies elsewhere, the last one not at all.
      const std::size_t at = (cut * static_cast<std::size_t>(request.number)) % script.size();
      return request.number <= faults ? script.cut_at(at) : script;
    });
    Config config = vllm_nodes(lone, lone);
    patient(config);
    Router router(config);
    const Resumed out = ask_with(router, limited);
    REQUIRE_FALSE(out.error);
    CHECK(out.text == text_of_tokens);
    CHECK(out.finishes == 1);
    if (out.reply.attempts.size() > 1) CHECK(out.reply.usage.completion_tokens == 9);
  }
}

TEST_CASE("token ids are not shown, unless they were asked for", "[router][resume][ids]") {
  ScriptedUpstream node([](const SeenRequest& request) {
    return event_stream(chat(request.body.find("return_token_ids") != std::string::npos));
  });
  Router router(vllm_nodes(node, node));
  CHECK(ask_with(router, limited).raw == [] {
    std::string all;
    for (const std::string& event : chat(false)) all += event;
    return all;
  }());
  const Resumed asked =
      ask_with(router, R"({"model":"m","messages":[],"return_token_ids":true,"max_tokens":20})");
  CHECK(asked.raw.find("[100]") != std::string::npos);
}

TEST_CASE("an alias and token ids are both put as they were asked", "[router][resume][ids]") {
  ScriptedUpstream node(event_stream(chat(true)));
  Config config = vllm_nodes(node, node);
  config.models.push_back({.name = "alias", .model_id = "m"});
  Router router(config);
  const Resumed out = ask_with(router, R"({"model":"alias","messages":[],"max_tokens":20})");
  CHECK(out.text == text_of_tokens);
  CHECK(out.raw.find(R"("model":"alias")") != std::string::npos);
  CHECK(out.raw.find(R"("model":"m")") == std::string::npos);
  CHECK(out.raw.find("ids\":[") == std::string::npos);
}

TEST_CASE("without a limit the node is asked for its context length", "[router][resume][ids]") {
  ScriptedUpstream bad(event_stream({chat(true)[0], chat(true)[1]}, Ending::open).close());
  ScriptedUpstream good(continuing);
  Router router(vllm_nodes(bad, good));
  const Resumed out = ask_with(router, hello);
  REQUIRE_FALSE(out.error);
  CHECK(out.text == text_of_tokens);
  CHECK(good.requests().back().body.find(R"("max_tokens":46)") != std::string::npos);
}

TEST_CASE("ids that are not drawn again are another answer", "[router][resume][ids]") {
  std::vector<std::string> begun = chat(true);
  begun.resize(4);  // up to half a character
  ScriptedUpstream bad(event_stream(begun, Ending::open).close());
  ScriptedUpstream other([](const SeenRequest& request) {
    if (request.target == "/v1/completions") return event_stream(completion(2, 999));
    return event_stream({chat_chunk("Something else"), chat_finish(), done()});
  });
  Router router(vllm_nodes(bad, other));
  const Resumed out = ask_with(router, limited);
  REQUIRE(out.error);
  CHECK(out.error->code == ErrorCode::stream_interrupted);
  CHECK(out.text == "The caf");
}

TEST_CASE("a stream that has all its tokens only lacks its end", "[router][resume][ids]") {
  std::vector<std::string> begun = chat(true);
  begun.resize(3);
  ScriptedUpstream bad(event_stream(begun, Ending::open).close());
  ScriptedUpstream good(continuing);
  Router router(vllm_nodes(bad, good));
  const Resumed out = ask_with(
      router,
      R"({"model":"m","messages":[],"max_tokens":2,"stream_options":{"include_usage":true}})");
  REQUIRE_FALSE(out.error);
  CHECK(out.text == "The caf");
  CHECK(out.raw.find(R"("finish_reason":"length")") != std::string::npos);
  CHECK(out.raw.find(R"("completion_tokens":2)") != std::string::npos);
  CHECK(good.request_count() == 0);
}

TEST_CASE("requests whose sampling looks back are not asked for ids", "[router][resume][ids]") {
  const std::string field = GENERATE(
      R"("tools":[{"type":"function"}])", R"("logprobs":true)", R"("stop":["x"])", R"("n":2)",
      R"("frequency_penalty":0.5)", R"("seed":7,"temperature":1)", R"("min_tokens":3)",
      R"("response_format":{"type":"json_object"})", R"("guided_json":{})", R"("bad_words":["x"])",
      R"("stream_options":{"continuous_usage_stats":true})");
  std::vector<std::string> events = chat(false);
  events.push_back(done());
  ScriptedUpstream node(event_stream(events));
  Router router(vllm_nodes(node, node));
  CAPTURE(field);
  CHECK_FALSE(ask_with(router, R"({"model":"m","messages":[],)" + field + "}").error);
  CHECK(node.requests()[0].body.find("return_token_ids") == std::string::npos);
}

TEST_CASE("best effort gives the text as the answer's beginning", "[router][resume][prefill]") {
  const bool echoes = GENERATE(false, true);
  const auto provider = GENERATE(Provider::automatic, Provider::vllm, Provider::llamacpp);
  if (provider == Provider::vllm && echoes) return;
  if (provider == Provider::llamacpp && !echoes) return;
  CAPTURE(echoes, static_cast<int>(provider));
  const auto handler = [&](const SeenRequest& request) {
    if (request.body.find("continue_final_message") == std::string::npos) {
      return event_stream({chat_chunk("Quite another answer"), chat_finish(), done()});
    }
    std::vector<std::string> events;
    if (echoes) events = {chat_chunk("One "), chat_chunk("two ")};
    for (const char* piece : {"th", "ree", " four"}) events.push_back(chat_chunk(piece));
    events.push_back(chat_finish());
    events.push_back(done());
    return event_stream(events);
  };
  ScriptedUpstream bad(
      event_stream({chat_event(R"({"role":"assistant","content":"One "})", "null", "", "null"),
                    chat_event(R"({"content":"two thr"})", "null", "", "null")},
                   Ending::open)
          .close());
  ScriptedUpstream good(handler);
  Config config = config_of(bad, good);
  config.router.resume = Resume::best_effort;
  config.router.max_retries = 3;
  config.nodes[1].provider = provider;
  Router router(config);
  const Resumed out = ask_with(router, hello);
  REQUIRE_FALSE(out.error);
  CHECK(out.text == "One two three four");
  CHECK(out.finishes == 1);
  REQUIRE(out.reply.attempts.size() == 3);
  CHECK(out.reply.attempts[1].rung == Rung::replay);
  CHECK(out.reply.attempts[2].rung == Rung::prefill);
  const std::string body = good.requests().back().body;
  CHECK(body.find(R"(,{"role":"assistant","content":"One two "}])") != std::string::npos);
  CHECK(body.find(R"("add_generation_prompt":false)") != std::string::npos);
}

TEST_CASE("a text that is gone on with at any byte, and as often as it breaks, is the whole text",
          "[router][resume][prefill]") {
  const int faults = GENERATE(1, 2, 3);
  const std::string text = "One two, thrée four 😀 five.";
  const auto from = [&](std::size_t begin) {
    std::vector<std::string> events{chat_chunk("")};
    for (std::size_t at = begin; at < text.size();) {
      std::size_t end = std::min(at + 3, text.size());
      while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) ++end;
      events.push_back(chat_chunk(text.substr(at, end - at)));
      at = end;
    }
    events.push_back(chat_finish());
    events.push_back(done());
    return event_stream(events);
  };
  // Asked anew it gives another answer; with a beginning it goes on behind that.
  const auto handler = [&](const SeenRequest& request) {
    const std::string mark = R"({"role":"assistant","content":")";
    const std::size_t given = request.body.rfind(mark);
    if (given != std::string::npos) {
      const std::size_t begin = given + mark.size();
      return from(request.body.find('"', begin) - begin);
    }
    return request.number == 1 ? from(0)
                               : event_stream({chat_chunk("Other"), chat_finish(), done()});
  };
  const std::size_t first = event_stream({chat_chunk(""), chat_chunk("One")}, Ending::open).size();
  for (std::size_t cut = first; cut < from(0).size(); cut += faults) {
    CAPTURE(faults, cut);
    std::atomic<int> broken{0};
    ScriptedUpstream lone([&](const SeenRequest& request) {
      Script script = handler(request);
      const bool goes_on =
          request.number == 1 || request.body.find("continue_final") != std::string::npos;
      if (!goes_on || broken >= faults) return script;
      return script.cut_at(request.number == 1 ? cut : (cut * 7) % script.size(),
                           ++broken % 2 == 0);
    });
    Config config = config_of(lone, lone);
    patient(config);
    config.router.resume = Resume::best_effort;
    Router router(config);
    const Resumed out = ask_with(router, hello);
    INFO((out.error ? out.error->message : ""));
    REQUIRE_FALSE(out.error);
    CHECK(out.text == text);
    CHECK(out.finishes == 1);
  }
}

TEST_CASE("a beginning that is not gone on with is an error", "[router][resume][prefill]") {
  ScriptedUpstream bad(event_stream({chat_chunk("One two thr")}, Ending::open).close());
  ScriptedUpstream other(event_stream({chat_chunk("Four"), chat_finish(), done()}));
  Config config = config_of(bad, other);
  config.router.resume = Resume::best_effort;
  config.router.max_retries = 5;
  Router router(config);
  Result<Stream> stream = router.stream({.body = hello});
  REQUIRE(stream);
  const Collected all = collect(*stream);
  REQUIRE(all.error);
  CHECK(all.error->partial == "One two thr");
  CHECK(all.error->attempts.size() == 3);
}
