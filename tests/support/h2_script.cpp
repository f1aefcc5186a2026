/// Builds scripts of HTTP/2 streams.
#include "support/h2_script.hpp"

#include <utility>

namespace llmroute::test {

using Kind = H2Script::Step::Kind;

H2Script& H2Script::interim(int status) {
  steps_.push_back({.kind = Kind::interim, .code = static_cast<std::uint32_t>(status)});
  return *this;
}

H2Script& H2Script::head(int status, Headers fields) {
  steps_.push_back({.kind = Kind::head,
                    .code = static_cast<std::uint32_t>(status),
                    .fields = std::move(fields)});
  return *this;
}

H2Script& H2Script::data(std::string bytes) {
  steps_.push_back({.kind = Kind::data, .bytes = std::move(bytes)});
  return *this;
}

H2Script& H2Script::end() {
  steps_.push_back({.kind = Kind::end});
  return *this;
}

H2Script& H2Script::wait(const Gate& gate) {
  steps_.push_back({.kind = Kind::wait, .gate = gate});
  return *this;
}

H2Script& H2Script::reset(std::uint32_t code) {
  steps_.push_back({.kind = Kind::reset, .code = code});
  return *this;
}

H2Script& H2Script::goaway(std::uint32_t code, bool served) {
  steps_.push_back({.kind = Kind::goaway, .code = code, .served = served});
  return *this;
}

H2Script& H2Script::close() {
  steps_.push_back({.kind = Kind::close});
  return *this;
}

H2Script h2_answer(int status, std::string body, Headers fields) {
  fields.add("content-length", std::to_string(body.size()));
  return H2Script().head(status, std::move(fields)).data(std::move(body)).end();
}

H2Script h2_events(const std::vector<std::string>& events) {
  H2Script script;
  script.head(200, {{"content-type", "text/event-stream"}});
  for (const std::string& event : events) script.data(event);
  return script;
}

}  // namespace llmroute::test
