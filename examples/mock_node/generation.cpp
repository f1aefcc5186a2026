#include "generation.hpp"

#include <fmt/format.h>

namespace mock {

namespace {
std::string next_id() {
  static std::uint64_t last = 0;
  return fmt::format("chatcmpl-{:016x}", ++last * 0x9e3779b97f4a7c15);
}

http::Fields fields(std::string_view type) {
  http::Fields out;
  out.add("content-type", type);
  return out;
}
}  // namespace

Generation::Generation(boost::asio::io_context& context, Pace& pace, Counters& counters,
                       Question question, const Fault* fault, http::Responder responder)
    : pace_(pace),
      counters_(counters),
      question_(std::move(question)),
      responder_(std::move(responder)),
      timer_(context),
      id_(next_id()) {
  if (fault != nullptr) fault_ = *fault;
  ++counters_.active;
}

Generation::~Generation() { --counters_.active; }

void Generation::start(int embedding_dimension) {
  self_ = shared_from_this();
  dimension_ = embedding_dimension;
  responder_.watch(*this);
  if (fault_.delay_ms > 0) {
    return later(Clock::now() + std::chrono::milliseconds(fault_.delay_ms), &Generation::begin);
  }
  begin();
}

void Generation::begin() {
  if (fault_.stall == "headers") return;  // until the caller goes
  if (fault_.status != 0) {
    http::Response refused{.status = fault_.status, .fields = fields("application/json")};
    if (fault_.retry_after >= 0)
      refused.fields.add("retry-after", std::to_string(fault_.retry_after));
    refused.body = error_body("injected fault", "InternalServerError", "", fault_.status);
    responder_.send(std::move(refused));
    return finish();
  }
  if (fault_.break_after == 0u) {
    responder_.abort();
    return finish();
  }
  if (const std::string body = nonsense(); !body.empty()) {
    responder_.send({.fields = fields(fault_.garbage == "html" ? "text/html" : "application/json"),
                     .body = body});
    return finish();
  }
  const auto keep = shared_from_this();
  pace_.enter(ticket_, [this] {
    if (pace_.instant()) return prefilled();
    later(pace_.prefill(question_.prompt_tokens, Clock::now()), &Generation::prefilled);
  });
}

/// The body of a 200 that is no answer; empty: answer properly.
std::string Generation::nonsense() const {
  if (fault_.garbage == "text") return "upstream connect error or disconnect";
  if (fault_.garbage == "html") return "<html><body>502 Bad Gateway</body></html>";
  if (fault_.garbage == "error") return error_body("engine died", "InternalServerError", "", 500);
  return {};
}

void Generation::prefilled() {
  if (over_) return;
  counters_.prompt_tokens += question_.prompt_tokens;
  if (question_.stream) {
    responder_.start(200, fields("text/event-stream; charset=utf-8"));
    started_ = true;
    if (fault_.garbage == "error-event") {
      write("data: " + error_body("engine died", "InternalServerError", "", 500) + "\n\n");
    }
    if (question_.kind == Kind::completion) at_ = 0;
    return give_more();
  }
  const auto tokens = question_.kind == Kind::embedding ? 0 : question_.output_tokens();
  if (pace_.instant() || tokens == 0) return give_plain();
  later(Clock::now() + pace_.step() * tokens, &Generation::give_plain);
}

void Generation::give_plain() {
  counters_.generated_tokens += question_.output_tokens();
  std::string body = question_.kind == Kind::embedding ? embedding_answer(question_, dimension_)
                                                       : plain_answer(question_, id_);
  if (fault_.break_after && *fault_.break_after < body.size()) {
    responder_.start(200, fields("application/json"));
    kept_ = body.substr(0, *fault_.break_after);
    responder_.write(kept_);
    responder_.abort();
    return finish();
  }
  responder_.send({.fields = fields("application/json"), .body = std::move(body)});
  ++counters_.finished;
  finish();
}

/// The next event of a stream; empty: [DONE] is all that is left.
std::string Generation::next_event() {
  if (at_ < 0) return ++at_, role_event(question_, id_);
  if (at_ < question_.output_tokens()) {
    std::string events;
    for (int c = 0; c < question_.choices; ++c) events += word_event(question_, id_, c, at_);
    ++at_;
    ++counters_.generated_tokens;
    return events;
  }
  if (question_.include_usage && !usage_given_)
    return usage_given_ = true, usage_event(question_, id_);
  return {};
}

/// As many events as are due, one write each.
void Generation::give_more() {
  while (!over_) {
    if (fault_.stall == "content" && at_ >= 0) return;
    if (fault_.stall == "middle" && at_ >= 4) return;
    const int before = at_;
    std::string event = next_event();
    if (event.empty()) {
      responder_.end("data: [DONE]\n\n");
      ++counters_.finished;
      return finish();
    }
    if (!write(std::move(event))) return;  // on_writable goes on, or the connection has been broken
    const bool token = before >= 0 && before < at_;
    if (token && !pace_.instant() && at_ < question_.output_tokens()) {
      return later(Clock::now() + pace_.step(), &Generation::give_more);
    }
  }
}

/// False: no more for now.
bool Generation::write(std::string piece) {
  const bool last_event = fault_.break_after_events && events_ >= *fault_.break_after_events;
  const bool last_bytes = fault_.break_after && sent_ + piece.size() > *fault_.break_after;
  if (last_event || last_bytes) {
    if (last_bytes) {
      kept_ = piece.substr(0, *fault_.break_after - sent_);
      responder_.write(kept_);
    }
    responder_.abort();
    finish();
    return false;
  }
  ++events_;
  sent_ += piece.size();
  kept_ = std::move(piece);
  return responder_.write(kept_);
}

void Generation::on_writable() { give_more(); }

void Generation::on_gone() {
  ++counters_.aborted;
  finish();
}

void Generation::later(Clock::time_point when, void (Generation::*what)()) {
  timer_.expires_at(when);
  timer_.async_wait([self = shared_from_this(), what](const boost::system::error_code& error) {
    if (!error && !self->over_) ((*self).*what)();
  });
}

void Generation::finish() {
  if (over_) return;
  over_ = true;
  timer_.cancel();
  const auto keep = std::move(self_);
  if (ticket_ != 0) pace_.leave(ticket_);
}

}  // namespace mock
