#include "generation.hpp"

#include <fmt/format.h>

#include "reset.hpp"
#include "shapes.hpp"

namespace mock {

namespace {
std::string next_id(Kind kind) {
  static std::uint64_t last = 0;
  return fmt::format("{}-{:016x}", kind == Kind::chat ? "chatcmpl" : "cmpl",
                     ++last * 0x9e3779b97f4a7c15);
}

/// An event that breaks off, as when a proxy dies in the middle of one.
constexpr std::string_view half_an_event = "data: {\"id\":\"chatcmpl-0\",\"object\":\"chat.com\n\n";
constexpr std::string_view done = "data: [DONE]\n\n";

std::string engine_died() { return error_body("engine died", "InternalServerError", "", 500); }

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
      id_(next_id(question_.kind)) {
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
  if (fault_.silent) return;  // until the caller goes
  if (fault_.status != 0) {
    http::Response refused{.status = fault_.status, .fields = fields("application/json")};
    if (fault_.retry_after >= 0)
      refused.fields.add("retry-after", std::to_string(fault_.retry_after));
    refused.body = error_body("injected fault", "InternalServerError", "", fault_.status);
    responder_.send(std::move(refused));
    return finish();
  }
  if (fault_.cuts_head()) {
    responder_.start(200, {});  // a head that is never sent: the server would reset what has none
    return cut({});
  }
  if (const std::string body = nonsense(); !body.empty()) {
    responder_.send({.fields = fields(fault_.garbage == "html" ? "text/html" : "application/json"),
                     .body = body});
    return finish();
  }
  const auto keep = shared_from_this();
  pace_.enter(ticket_, [this] {
    if (pace_.instant()) return prefilled();
    later(pace_.prefill(question_.prompt_tokens(), Clock::now()), &Generation::prefilled);
  });
}

/// The body of a 200 that is no answer; empty: answer properly.
std::string Generation::nonsense() const {
  if (fault_.garbage == "text") return "upstream connect error or disconnect";
  if (fault_.garbage == "html") return "<html><body>502 Bad Gateway</body></html>";
  if (fault_.garbage == "error") return engine_died();
  return {};
}

void Generation::prefilled() {
  if (over_) return;
  counters_.prompt_tokens += question_.prompt_tokens();
  if (question_.stream) {
    responder_.start(200, fields("text/event-stream; charset=utf-8"));
    return give_more();
  }
  const auto steps = static_cast<int>(question_.steps());
  if (pace_.instant() || steps == 0) return give_plain();
  later(Clock::now() + pace_.step() * steps, &Generation::give_plain);
}

void Generation::give_plain() {
  counters_.generated_tokens += question_.output_tokens();
  std::string body = question_.kind == Kind::embedding ? embedding_answer(question_, dimension_)
                                                       : plain_answer(question_, id_);
  if (fault_.cut != Cut::none && fault_.bytes && *fault_.bytes < body.size()) {
    responder_.start(200, fields("application/json"));
    return cut(std::string_view(body).substr(0, *fault_.bytes));
  }
  responder_.send({.fields = fields("application/json"), .body = std::move(body)});
  ++counters_.finished;
  finish();
}

/// Roles, pieces, usage, [DONE]: one each time.
std::string Generation::next_event() {
  if (!roles_given_ && question_.kind == Kind::chat) {
    roles_given_ = true;
    return role_events(question_, id_);
  }
  if (at_ < question_.steps()) {
    for (const Answer& answer : question_.answers)
      if (at_ < answer.pieces.size())
        counters_.generated_tokens += static_cast<long>(answer.pieces[at_].ids.size());
    const std::vector<Piece>& first = question_.answers.front().pieces;
    if (at_ < first.size()) tokens_ += first[at_].ids.size();
    return piece_events(question_, id_, at_++);
  }
  if (question_.include_usage && !usage_given_) {
    usage_given_ = true;
    return usage_event(question_, id_);
  }
  done_ = true;
  return std::string(done);
}

/// As many events as are due, one write each.
void Generation::give_more() {
  while (!over_ && !cut_) {
    if (cut_is_due()) return cut({});
    const std::size_t before = at_;
    std::string event = next_event();
    if (fault_.cut != Cut::none && fault_.bytes && sent_ + event.size() > *fault_.bytes)
      return cut(std::string_view(event).substr(0, *fault_.bytes - sent_));
    if (done_) {
      responder_.end(event);
      ++counters_.finished;
      return finish();
    }
    ++events_;
    sent_ += event.size();
    kept_ = std::move(event);
    if (!responder_.write(kept_)) return;  // on_writable goes on
    if (before < at_ && !pace_.instant() && at_ < question_.steps())
      return later(Clock::now() + pace_.step(), &Generation::give_more);
  }
}

/// After so many events, or tokens and not before the roles.
bool Generation::cut_is_due() const noexcept {
  if (fault_.cut == Cut::none) return false;
  if (fault_.events) return events_ >= *fault_.events;
  const bool begun = roles_given_ || question_.kind != Kind::chat;
  return fault_.cuts_at_tokens() && begun && tokens_ >= fault_.tokens;
}

/// Ends the answer wrongly, with `piece` for its last.
void Generation::cut(std::string_view piece) {
  cut_ = true;
  kept_ = piece;
  if (fault_.cut == Cut::error) kept_ += fmt::format("data: {}\n\n{}", engine_died(), done);
  if (fault_.cut == Cut::garbage) kept_ += half_an_event;
  const bool whole_body = fault_.cut == Cut::error || fault_.cut == Cut::garbage;
  if (whole_body || fault_.cut == Cut::end) {
    responder_.end(kept_);
    return finish();
  }
  if (!kept_.empty()) responder_.write(kept_);
  if (fault_.cut == Cut::stall) return;  // until the caller goes
  fault_.cut == Cut::rst ? reset(responder_) : responder_.abort();
  finish();
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
