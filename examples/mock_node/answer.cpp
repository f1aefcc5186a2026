#include "answer.hpp"

#include <algorithm>

#include "tool_call.hpp"
#include "utf8.hpp"

namespace mock {

namespace {

class Speller {
 public:
  Speller(const Continuation& what, const Spelling& spelling)
      : what_(what), spelling_(spelling), held_(what.held) {
    if (spelling.parts && what.in_thought) part_ = Part::reasoning;
    for (const std::string& stop : spelling.stops) longest_ = std::max(longest_, stop.size());
  }

  Answer all() {
    for (at_ = 0; at_ < what_.ids.size() && !out_.stop_reason; ++at_) take(what_.ids[at_]);
    if (!ended_ && !out_.stop_reason) cut_short();
    return std::move(out_);
  }

 private:
  void take(int id) {
    if (id == end_of_turn) return end();
    if (spelling_.parts && id == end_of_thought && part_ == Part::reasoning) {
      give(held_.substr(0, whole_characters(held_)), {id});
      held_.clear();
      part_ = Part::content;
    } else if (spelling_.parts && id == tool_call) {
      part_ = Part::call_name;
      waiting_ = {id};
    } else if (part_ == Part::call_name) {
      name(id);
    } else if (part_ == Part::call_arguments) {
      arguments(id);
    } else {
      text(id);
    }
  }

  void end() {
    ended_ = true;
    out_.finish_reason = called_ ? "tool_calls" : "stop";
    give(held_.substr(0, whole_characters(held_)), {end_of_turn});
  }

  /// What is held back for a stop string comes out; a call without a whole name does not.
  void cut_short() {
    if (part_ != Part::call_name) {
      out_.pieces.back().text += held_.substr(0, whole_characters(held_));
    } else {
      part_ = Part::content;
      give("", waiting_);
    }
  }

  void text(int id) {
    held_ += bytes_of(id);
    if (stop(id)) return;
    std::size_t ready = whole_characters(held_);
    if (longest_ > 0) ready = std::min(ready, held_.size() - std::min(held_.size(), longest_ - 1));
    ready = character_start(held_, ready);
    give(held_.substr(0, ready), {id});
    held_.erase(0, ready);
  }

  bool stop(int id) {
    for (const std::string& stop : spelling_.stops) {
      const std::size_t at = stop.empty() ? std::string::npos : held_.find(stop);
      if (at == std::string::npos) continue;
      give(held_.substr(0, at + (spelling_.keep_stop ? stop.size() : 0)), {id});
      out_.stop_reason = stop;
      out_.finish_reason = "stop";
      return true;
    }
    return false;
  }

  /// The name comes in one piece, once it is complete.
  void name(int id) {
    waiting_.push_back(id);
    held_ += bytes_of(id);
    const CallHead head = call_head(held_);
    if (!head) return;
    called_ = true;
    const std::string arguments(head.arguments);
    give(std::string(head.name), waiting_);
    part_ = Part::call_arguments;
    held_.clear();
    if (!arguments.empty()) give(arguments, {});
  }

  /// The brace that closes the call is none of theirs.
  void arguments(int id) {
    const bool closing = at_ + 1 < what_.ids.size() && what_.ids[at_ + 1] == end_of_tool_call;
    if (id == end_of_tool_call) {
      part_ = Part::content;
      return give("", {id});
    }
    held_ += closing ? "" : bytes_of(id);
    const std::size_t ready = whole_characters(held_);
    give(held_.substr(0, ready), {id});
    held_.erase(0, ready);
  }

  void give(std::string text, Ids ids) {
    out_.pieces.push_back({.part = part_, .text = std::move(text), .ids = std::move(ids)});
  }

  const Continuation& what_;
  const Spelling& spelling_;
  Answer out_{};
  Part part_ = Part::content;
  std::string held_;
  Ids waiting_{};
  std::size_t longest_ = 0;
  std::size_t at_ = 0;
  bool called_ = false;
  bool ended_ = false;
};

}  // namespace

std::size_t Answer::tokens() const noexcept {
  std::size_t out = 0;
  for (const Piece& piece : pieces) out += piece.ids.size();
  return out;
}

std::string Answer::text(Part part) const {
  std::string out;
  for (const Piece& piece : pieces)
    if (piece.part == part) out += piece.text;
  return out;
}

Ids Answer::ids() const {
  Ids out;
  for (const Piece& piece : pieces) out.insert(out.end(), piece.ids.begin(), piece.ids.end());
  return out;
}

Answer spell(const Continuation& what, const Spelling& spelling) {
  return Speller(what, spelling).all();
}

}  // namespace mock
