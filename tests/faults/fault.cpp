#include "faults/fault.hpp"

namespace llmroute::test {

std::vector<std::string> good_events() {
  return {chat_chunk(""),
          chat_chunk("Héllo "),
          chat_chunk("wörld, said"),
          chat_chunk(" the node"),
          chat_chunk(" 😀"),
          chat_finish(),
          done()};
}

Script good_script(Mode mode) {
  return mode == Mode::plain ? answer(200, chat_completion(whole_text))
                             : event_stream(good_events());
}

namespace {

std::vector<Fault> gather() {
  struct Table {
    const char* area;
    std::vector<Fault> (*rows)();
  };
  constexpr Table tables[] = {{"Connections", connection_faults}, {"Response heads", head_faults},
                              {"Statuses", status_faults},        {"Bodies", body_faults},
                              {"Event streams", stream_faults},   {"HTTP/2", http2_faults}};
  std::vector<Fault> all;
  for (const Table& table : tables) {
    for (Fault& fault : table.rows()) {
      fault.area = table.area;
      all.push_back(std::move(fault));
    }
  }
  return all;
}

}  // namespace

/// Made once: Catch2 enters a test case anew for each of its sections.
const std::vector<Fault>& all_faults() {
  static const std::vector<Fault> all = gather();
  return all;
}

std::function<std::unique_ptr<FaultyNode>(Mode, std::size_t)> plays(Script plain, Script streamed) {
  return [plain = std::move(plain), streamed = std::move(streamed)](Mode mode, std::size_t) {
    return std::make_unique<ScriptedNode>(mode == Mode::plain ? plain : streamed);
  };
}

std::function<std::unique_ptr<FaultyNode>(Mode, std::size_t)> plays(Script script) {
  return plays(script, script);
}

std::function<std::unique_ptr<FaultyNode>(Mode, std::size_t)> makes(
    std::function<std::unique_ptr<FaultyNode>()> make) {
  return [make = std::move(make)](Mode, std::size_t) { return make(); };
}

Script drips(Script script) {
  for (int i = 0; i < 2000; ++i) script.send("x").pause(std::chrono::milliseconds(20));
  return script.hang();
}

Expected elsewhere(ErrorCode code, std::string_view reason) {
  return {.code = code, .reason = reason};
}

Expected only_elsewhere(ErrorCode code, Limit limit) {
  return {.code = code, .alone_attempts = 1, .limit = limit};
}

Expected refused(int status) {
  return {.promise = Promise::refused,
          .code = ErrorCode::node_rejected,
          .alone_attempts = 1,
          .status = status,
          .blames = Blame::nobody};
}

Expected harmless() {
  return {.promise = Promise::from_n1, .alone_attempts = 1, .blames = Blame::nobody};
}

Expected charged_to(Blame whom, Expected expected) {
  expected.blames = whom;
  return expected;
}

}  // namespace llmroute::test
