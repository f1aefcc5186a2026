#include <algorithm>

#include "layers/seam.hpp"

namespace llmroute::detail {

namespace {

/// How much of one text has come again.
struct Channel {
  std::size_t matched = 0;

  /// Takes from `text` what the caller has had. False: it is another text.
  bool swallow(std::string_view delivered, std::string& text) {
    const std::string_view rest = delivered.substr(matched);
    const std::size_t common = std::min(rest.size(), text.size());
    if (rest.substr(0, common) != std::string_view(text).substr(0, common)) return false;
    matched += common;
    text.erase(0, common);
    return true;
  }
};

/// One choice on its way to where the first stream broke off.
struct Replayed {
  explicit Replayed(const Ledger::Choice& choice) : delivered(choice) {}

  bool complete() const noexcept {
    return content.matched == delivered.content.size() &&
           reasoning.matched == delivered.reasoning.size() &&
           refusal.matched == delivered.refusal.size();
  }

  Ledger::Choice delivered;  // a copy: the ledger's own grows again behind the seam
  Channel content{};
  Channel reasoning{};
  Channel refusal{};
};

class ReplaySeam final : public Seam {
 public:
  ReplaySeam(const Ledger& ledger, std::string_view object) : Seam(ledger), object_(object) {
    for (std::size_t i = 0; i < ledger.choices(); ++i) choices_.emplace_back(ledger.choice(i));
  }

  Verdict take(std::string_view data, EventKind kind, const wire::ChunkView& chunk,
               std::string& out) override;

  bool joined() const noexcept override {
    return std::all_of(choices_.begin(), choices_.end(),
                       [](const Replayed& choice) { return choice.complete(); });
  }

 private:
  bool all_begun(std::string_view data) const;
  Verdict take_delta(wire::Delta& delta, bool& shortened);

  std::string object_;
  std::vector<Replayed> choices_;
  bool passing_ = false;  // the caller has seen something of the new stream
};

/// Whether the caller has had the beginning of every choice in a chunk.
bool ReplaySeam::all_begun(std::string_view data) const {
  const std::vector<wire::Delta> deltas = wire::read_deltas(data);
  return std::all_of(deltas.begin(), deltas.end(), [this](const wire::Delta& delta) {
    const auto index = static_cast<std::size_t>(delta.index);
    return index < choices_.size() && choices_[index].delivered.begun;
  });
}

/// Leaves in `delta` what is new.
Seam::Verdict ReplaySeam::take_delta(wire::Delta& delta, bool& shortened) {
  const auto index = static_cast<std::size_t>(delta.index);
  if (index >= choices_.size()) return Verdict::forward;
  Replayed& choice = choices_[index];
  const std::size_t before =
      choice.content.matched + choice.reasoning.matched + choice.refusal.matched;
  if (!choice.content.swallow(choice.delivered.content, delta.content) ||
      !choice.reasoning.swallow(choice.delivered.reasoning, delta.reasoning) ||
      !choice.refusal.swallow(choice.delivered.refusal, delta.refusal)) {
    return Verdict::diverged;
  }
  if (before != choice.content.matched + choice.reasoning.matched + choice.refusal.matched) {
    shortened = true;
  }
  const bool more =
      !delta.content.empty() || !delta.reasoning.empty() || !delta.refusal.empty() || delta.opaque;
  const bool ends = !delta.finish_reason.empty();
  if (choice.delivered.finished) {  // the caller has had all of this choice
    if (more) return Verdict::diverged;
    if (ends) shortened = true, delta.finish_reason.clear();
    return Verdict::swallow;
  }
  if (!more && !ends) return Verdict::swallow;
  return choice.complete() ? Verdict::forward : Verdict::diverged;
}

Seam::Verdict ReplaySeam::take(std::string_view data, EventKind kind, const wire::ChunkView&,
                               std::string& out) {
  if (kind != EventKind::content) {
    const bool beginning = kind == EventKind::preamble;
    const bool had = !beginning || all_begun(data);
    if (had && (!joined() || (beginning && !passing_))) return Verdict::swallow;
    out = wire::with_identity(data, ledger_.identity());
    return Verdict::forward;
  }
  std::vector<wire::Delta> deltas = wire::read_deltas(data);
  bool shortened = false;
  std::size_t forwarded = 0;
  for (wire::Delta& delta : deltas) {
    switch (take_delta(delta, shortened)) {
      case Verdict::diverged:
        return Verdict::diverged;
      case Verdict::forward:
        ++forwarded;
        break;
      case Verdict::swallow:
        break;
    }
  }
  if (forwarded == 0 && (shortened || !passing_)) return Verdict::swallow;
  passing_ = true;
  if (!shortened) {
    out = wire::with_identity(data, ledger_.identity());
    return Verdict::forward;
  }
  // A chunk cut in two: only what can be put together again from its text.
  const wire::Delta& delta = deltas.front();
  if (deltas.size() > 1 || delta.opaque || delta.annotated) return Verdict::diverged;
  out = wire::write_chunk(ledger_.identity(), object_, delta);
  return Verdict::forward;
}

}  // namespace

std::unique_ptr<Seam> replay_seam(const Ledger& ledger, std::string_view object) {
  return std::make_unique<ReplaySeam>(ledger, object);
}

}  // namespace llmroute::detail
