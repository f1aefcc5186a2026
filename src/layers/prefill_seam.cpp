#include <algorithm>
#include <optional>

#include "layers/seam.hpp"

namespace llmroute::detail {

namespace {

class PrefillSeam final : public Seam {
 public:
  PrefillSeam(const Ledger& ledger, std::string_view object, std::size_t tail, Echo echo)
      : Seam(ledger),
        object_(object),
        delivered_(ledger.text()),
        tail_(std::string_view(delivered_).substr(delivered_.size() - tail)),
        whole_(echo != Echo::none),
        plain_(echo != Echo::whole),
        events_(ledger.events()) {}

  Verdict take(std::string_view data, EventKind kind, const wire::ChunkView& chunk,
               std::string& out) override;
  bool joined() const noexcept override { return joined_; }
  Usage whole(const Usage& usage) const noexcept override;

 private:
  static bool begins_alike(std::string_view a, std::string_view b) noexcept {
    return a.substr(0, b.size()) == b.substr(0, a.size());
  }
  std::optional<std::string> settle(bool ends);

  std::string object_;
  std::string delivered_;
  std::string_view tail_;
  bool whole_;  // it may still be repeating all of it
  bool plain_;  // it may have begun with the tail
  std::uint32_t events_;
  std::string got_{};  // the new stream's text, while it may be either
  bool joined_ = false;
};

/// What of the new text is new, once that is known. `ends`: no more comes.
std::optional<std::string> PrefillSeam::settle(bool ends) {
  whole_ = whole_ && begins_alike(got_, delivered_);
  plain_ = plain_ && begins_alike(got_, tail_);
  if (whole_ && got_.size() >= delivered_.size()) return got_.substr(delivered_.size());
  if (whole_ && !ends) return std::nullopt;
  if (plain_ && got_.size() >= tail_.size()) return got_.substr(tail_.size());
  whole_ = whole_ && !ends;
  plain_ = plain_ && !ends;
  return std::nullopt;
}

Seam::Verdict PrefillSeam::take(std::string_view data, EventKind kind, const wire::ChunkView& chunk,
                                std::string& out) {
  if (kind != EventKind::content && !joined_) {
    return Verdict::swallow;
  }
  if (joined_) {
    out = kind == EventKind::usage
              ? wire::write_usage_chunk(ledger_.identity(), object_, whole(chunk.usage))
              : wire::with_identity(data, ledger_.identity());
    return Verdict::forward;
  }
  std::vector<wire::Delta> deltas = wire::read_deltas(data);
  if (deltas.size() != 1) return Verdict::diverged;
  wire::Delta& delta = deltas.front();
  if (delta.opaque || delta.annotated || !delta.reasoning.empty() || !delta.refusal.empty()) {
    return Verdict::diverged;
  }
  got_ += delta.content;
  std::optional<std::string> fresh = settle(!delta.finish_reason.empty());
  if (!fresh) return whole_ || plain_ ? Verdict::swallow : Verdict::diverged;
  joined_ = true;
  delta.content = std::move(*fresh);
  if (delta.content.empty() && delta.finish_reason.empty()) return Verdict::swallow;
  out = wire::write_chunk(ledger_.identity(), object_, delta);
  return Verdict::forward;
}

/// The delivered part was counted as prompt. An event is about a token.
Usage PrefillSeam::whole(const Usage& usage) const noexcept {
  Usage all = usage;
  const auto moved = std::min<std::int64_t>(events_, usage.prompt_tokens);
  all.prompt_tokens -= moved;
  all.completion_tokens += moved;
  return all;
}

}  // namespace

std::unique_ptr<Seam> prefill_seam(const Ledger& ledger, std::string_view object, std::size_t tail,
                                   Echo echo) {
  return std::make_unique<PrefillSeam>(ledger, object, tail, echo);
}

}  // namespace llmroute::detail
