#include "fault.hpp"

#include <fmt/format.h>

#include <charconv>
#include <utility>

namespace mock {

namespace {

using llmroute::Error;
using llmroute::ErrorCode;

template <class T>
bool number(std::string_view text, T& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size() && out >= 0;
}

template <class T>
bool one_of(std::string_view value, std::initializer_list<std::pair<std::string_view, T>> words,
            T& out) {
  for (const auto& [word, meaning] : words) {
    if (value != word) continue;
    out = meaning;
    return true;
  }
  return false;
}

bool cut_at(Fault& fault, Cut cut, std::optional<std::size_t>& where, std::string_view value) {
  fault.cut = cut;
  return number(value, where.emplace());
}

bool cut_after_tokens(Fault& fault, Cut cut, std::size_t tokens) {
  fault.cut = cut;
  fault.tokens = tokens;
  return true;
}

bool set_cut(Fault& fault, std::string_view key, std::string_view value) {
  if (key == "cut") {
    return one_of<Cut>(value,
                       {{"fin", Cut::fin},
                        {"rst", Cut::rst},
                        {"end", Cut::end},
                        {"stall", Cut::stall},
                        {"error", Cut::error},
                        {"garbage", Cut::garbage}},
                       fault.cut);
  }
  if (key == "bytes") return number(value, fault.bytes.emplace());
  if (key == "events") return number(value, fault.events.emplace());
  if (key == "tokens") return number(value, fault.tokens);
  if (key == "reset") return cut_at(fault, Cut::rst, fault.bytes, value);
  if (key == "close") return cut_at(fault, Cut::fin, fault.bytes, value);
  if (key == "close_events") return cut_at(fault, Cut::fin, fault.events, value);
  if (key == "stall" && value == "content") return cut_after_tokens(fault, Cut::stall, 0);
  if (key == "stall" && value == "middle") return cut_after_tokens(fault, Cut::stall, 4);
  if (key == "garbage" && value == "error-event")
    return cut_at(fault, Cut::error, fault.events, "0");
  return false;
}

bool set(Fault& fault, std::string_view key, std::string_view value) {
  if (key == "status")
    return number(value, fault.status) && fault.status >= 200 && fault.status < 600;
  if (key == "retry_after") return number(value, fault.retry_after);
  if (key == "stall" && value == "headers") return fault.silent = true;
  if (key == "garbage" && (value == "text" || value == "html" || value == "error"))
    return fault.garbage = value, true;
  if (key == "delay_ms") return number(value, fault.delay_ms);
  if (key == "every") return number(value, fault.every) && fault.every > 0;
  if (key == "p") return number(value, fault.share) && fault.share <= 1;
  if (key == "times") return number(value, fault.times);
  if (key == "only") {
    return one_of<Kind>(
        value,
        {{"chat", Kind::chat}, {"completion", Kind::completion}, {"embedding", Kind::embedding}},
        fault.only.emplace());
  }
  return set_cut(fault, key, value);
}

/// Takes the text up to the separator off the front.
std::string_view take(std::string_view& text, char separator) {
  const std::string_view first = text.substr(0, text.find(separator));
  text.remove_prefix(std::min(text.size(), first.size() + 1));
  return first;
}

bool concerns(const Fault& fault, Kind kind) noexcept { return !fault.only || fault.only == kind; }

}  // namespace

llmroute::Result<Fault> Fault::parse(std::string_view text) {
  Fault fault;
  while (!text.empty()) {
    const std::string_view pair = take(text, ',');
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos ||
        !set(fault, pair.substr(0, equals), pair.substr(equals + 1))) {
      return Error{
          .code = ErrorCode::invalid_argument,
          .message = fmt::format("fault: \"{}\" is not understood; --help lists what is", pair),
          .param = "fault"};
    }
  }
  return fault;
}

llmroute::Result<FaultPlan> FaultPlan::parse(std::string_view text, std::uint64_t seed) {
  FaultPlan plan;
  plan.rng_ = llmroute::Rng(seed);
  do {
    llmroute::Result<Fault> fault = Fault::parse(take(text, ';'));
    if (!fault) return fault.error();
    plan.faults_.push_back(std::move(*fault));
  } while (!text.empty());
  return plan;
}

const Fault* FaultPlan::strike(Kind kind) {
  if (faults_.size() != 1) return strike_in_turn(kind);
  const Fault& fault = faults_.front();
  if (!concerns(fault, kind) || ++seen_ % fault.every != 0) return nullptr;
  if (fault.times >= 0 && struck_ >= fault.times) return nullptr;
  if (fault.share < 1 && rng_.unit() >= fault.share) return nullptr;
  ++struck_;
  return &fault;
}

const Fault* FaultPlan::strike_in_turn(Kind kind) {
  const auto turn = static_cast<std::size_t>(struck_);
  if (turn >= faults_.size() || !concerns(faults_[turn], kind)) return nullptr;
  ++struck_;
  return &faults_[turn];
}

}  // namespace mock
