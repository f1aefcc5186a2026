#include <algorithm>

#include "layers/seam.hpp"

namespace llmroute::detail {

namespace {

class IdsSeam final : public Seam {
 public:
  IdsSeam(const Ledger& ledger, std::string_view object, std::vector<std::uint32_t> dropped)
      : Seam(ledger),
        object_(object),
        dropped_(std::move(dropped)),
        prompt_(static_cast<std::int64_t>(ledger.tokens().prompt.size())),
        before_(static_cast<std::int64_t>(ledger.tokens().answer.size())) {}

  Verdict take(std::string_view data, EventKind kind, const wire::ChunkView& chunk,
               std::string& out) override;
  bool joined() const noexcept override { return again_ == dropped_.size(); }
  Usage whole(const Usage& usage) const noexcept override;

 private:
  bool compare(std::string_view data, const wire::ChunkView& chunk);

  std::string object_;
  std::vector<std::uint32_t> dropped_;
  std::size_t again_ = 0;  // of dropped_
  std::int64_t prompt_;
  std::int64_t before_;  // tokens of the answer that the new stream was given
};

/// The ids whose text had not come must be drawn again, or this is another answer.
bool IdsSeam::compare(std::string_view data, const wire::ChunkView& chunk) {
  if (again_ == dropped_.size()) return true;
  const std::string_view json = data.substr(chunk.token_ids_at.offset, chunk.token_ids_at.length);
  for (const std::uint32_t id : wire::read_token_ids(json)) {
    if (again_ == dropped_.size()) return true;
    if (dropped_[again_] != id) return false;
    ++again_;
  }
  return true;
}

Seam::Verdict IdsSeam::take(std::string_view data, EventKind kind, const wire::ChunkView& chunk,
                            std::string& out) {
  if (kind == EventKind::usage) {
    out = wire::write_usage_chunk(ledger_.identity(), object_, whole(chunk.usage));
    return Verdict::forward;
  }
  if (!compare(data, chunk)) return Verdict::diverged;
  const std::vector<wire::Delta> deltas = wire::read_deltas(data);
  if (deltas.size() != 1 || deltas.front().opaque) return Verdict::diverged;
  const wire::Delta& delta = deltas.front();
  if (delta.content.empty() && delta.finish_reason.empty()) return Verdict::swallow;
  if (!joined()) return Verdict::diverged;  // text before the ids it should follow
  out = wire::write_chunk(ledger_.identity(), object_, delta);
  return Verdict::forward;
}

Usage IdsSeam::whole(const Usage& usage) const noexcept {
  Usage all = usage;
  all.prompt_tokens = prompt_;
  // A stream that is cut behind its last text has not told: what came can be counted.
  const auto came = static_cast<std::int64_t>(ledger_.tokens().answer.size());
  all.completion_tokens = usage.completion_tokens > 0 ? before_ + usage.completion_tokens : came;
  all.total_tokens = all.prompt_tokens + all.completion_tokens;
  return all;
}

}  // namespace

std::unique_ptr<Seam> ids_seam(const Ledger& ledger, std::string_view object,
                               std::vector<std::uint32_t> dropped) {
  return std::make_unique<IdsSeam>(ledger, object, std::move(dropped));
}

}  // namespace llmroute::detail
