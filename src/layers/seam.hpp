/// Where a second stream is joined to the first. A seam looks at every event of the second one,
/// keeps back what the caller has had, and turns the rest into events of the first.
#pragma once

#include <cstdint>
#include <llmroute/usage.hpp>
#include <llmroute/wire/chunk_view.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "layers/stream_progress.hpp"
#include "router/ledger.hpp"

namespace llmroute::detail {

class Seam {
 public:
  enum class Verdict {
    swallow,  ///< the caller has had it
    forward,  ///< `out` is what the caller is to see
    diverged  ///< this is not the stream that broke off
  };

  explicit Seam(const Ledger& ledger) noexcept : ledger_(ledger) {}
  Seam(const Seam&) = delete;
  Seam& operator=(const Seam&) = delete;
  virtual ~Seam() = default;

  /// Judges one chunk of the new stream: a preamble, content, or usage.
  virtual Verdict take(std::string_view data, EventKind kind, const wire::ChunkView& chunk,
                       std::string& out) = 0;

  /// Everything that was delivered has come again: an end is an end now.
  virtual bool joined() const noexcept = 0;

  /// The usage of the whole answer, as the uncut stream would have told it.
  virtual Usage whole(const Usage& usage) const noexcept { return usage; }

 protected:
  const Ledger& ledger_;  // the call's; grows while the new stream is forwarded
};

/// The whole answer again: what equals the delivered text is swallowed, at the first difference the
/// seam gives up. `object`: of the chunks the caller sees.
std::unique_ptr<Seam> replay_seam(const Ledger& ledger, std::string_view object);

/// A completion from token ids behind what was delivered. `dropped`: ids of the first stream whose
/// text had not come; they must come again.
std::unique_ptr<Seam> ids_seam(const Ledger& ledger, std::string_view object,
                               std::vector<std::uint32_t> dropped);

/// What a node sends back when it is given the beginning of its answer.
enum class Echo { none, whole, unknown };

/// A continuation of the delivered text but for its last `tail` bytes, which must come again.
/// Engines differ in whether they repeat what they were given (llama.cpp) or not (vLLM).
std::unique_ptr<Seam> prefill_seam(const Ledger& ledger, std::string_view object, std::size_t tail,
                                   Echo echo);

}  // namespace llmroute::detail
