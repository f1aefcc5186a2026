/// Builds scripts and the responses in them.
#include "support/script.hpp"

#include <fmt/format.h>

#include <utility>

namespace llmroute::test {

Script& Script::add(Step::Kind kind) {
  steps_.push_back({.kind = kind});
  return *this;
}

Script& Script::send(std::string bytes) {
  steps_.push_back({.kind = Step::Kind::send, .bytes = std::move(bytes)});
  return *this;
}

Script& Script::wait(const Gate& gate) {
  steps_.push_back({.kind = Step::Kind::wait, .gate = gate});
  return *this;
}

Script& Script::pause(std::chrono::milliseconds time) {
  steps_.push_back({.kind = Step::Kind::pause, .time = time});
  return *this;
}

Script& Script::hang() { return add(Step::Kind::hang); }
Script& Script::close() { return add(Step::Kind::close); }
Script& Script::reset() { return add(Step::Kind::reset); }

Script& Script::cut_at(std::size_t bytes, bool with_reset) {
  std::vector<Step> kept;
  for (Step& step : steps_) {
    if (step.kind == Step::Kind::send) {
      step.bytes.resize(std::min(bytes, step.bytes.size()));
      bytes -= step.bytes.size();
    }
    kept.push_back(std::move(step));
    if (bytes == 0) break;
  }
  steps_ = std::move(kept);
  return with_reset ? reset() : close();
}

Script& Script::in_pieces_of(std::size_t size, std::chrono::milliseconds time) {
  for (Step& step : std::exchange(steps_, {})) {
    if (step.kind != Step::Kind::send) {
      steps_.push_back(std::move(step));
      continue;
    }
    for (std::size_t at = 0; at < step.bytes.size(); at += size) {
      send(step.bytes.substr(at, size));
      if (time.count() > 0) pause(time);
    }
  }
  return *this;
}

std::size_t Script::size() const noexcept {
  std::size_t bytes = 0;
  for (const Step& step : steps_) bytes += step.bytes.size();
  return bytes;
}

std::string head(int status, const Headers& fields) {
  std::string text = fmt::format("HTTP/1.1 {} {}\r\n", status, status == 200 ? "OK" : "Status");
  for (const Header& field : fields) text += fmt::format("{}: {}\r\n", field.name, field.value);
  return text + "\r\n";
}

Script answer(int status, std::string_view body, Headers fields) {
  fields.add("Content-Length", std::to_string(body.size()));
  return raw(head(status, fields).append(body));
}

Script raw(std::string bytes) {
  Script script;
  script.send(std::move(bytes));
  return script;
}

std::string chunk(std::string_view text) {
  return fmt::format("{:x}\r\n{}\r\n", text.size(), text);
}

Script chunked(int status, const std::vector<std::string>& pieces, Ending ending, Headers fields) {
  fields.add("Transfer-Encoding", "chunked");
  Script script = raw(head(status, fields));
  for (const std::string& piece : pieces) script.send(chunk(piece));
  if (ending == Ending::whole) script.send(chunk(""));
  return script;
}

Script event_stream(const std::vector<std::string>& events, Ending ending) {
  return chunked(200, events, ending, {{"Content-Type", "text/event-stream; charset=utf-8"}});
}

std::string sse(std::string_view data) { return fmt::format("data: {}\n\n", data); }

std::string chat_chunk(std::string_view text, std::string_view model) {
  const std::string delta =
      text.empty() ? R"("role":"assistant","content":"")" : fmt::format(R"("content":"{}")", text);
  return sse(fmt::format(
      R"({{"id":"c-1","object":"chat.completion.chunk","created":1,"model":"{}","choices":[{{"index":0,"delta":{{{}}},"finish_reason":null}}]}})",
      model, delta));
}

std::string chat_finish(std::string_view reason, std::string_view model) {
  return sse(fmt::format(
      R"({{"id":"c-1","object":"chat.completion.chunk","created":1,"model":"{}","choices":[{{"index":0,"delta":{{}},"finish_reason":"{}"}}]}})",
      model, reason));
}

std::string done() { return sse("[DONE]"); }

std::string chat_completion(std::string_view text, std::string_view model) {
  return fmt::format(
      R"({{"id":"c-1","object":"chat.completion","created":1,"model":"{}","choices":[{{"index":0,"message":{{"role":"assistant","content":"{}"}},"finish_reason":"stop"}}],"usage":{{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}}})",
      model, text);
}

}  // namespace llmroute::test
