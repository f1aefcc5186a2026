/// Changing a few bytes of a JSON text and no others: number spelling, key order, escapes and
/// unknown fields survive.
#pragma once

#include <cstddef>
#include <llmroute/wire/request_view.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace llmroute::wire {

/// `length` bytes at `offset` become `text`.
struct Edit {
  std::size_t offset = 0;
  std::size_t length = 0;
  std::string text{};
};

/// The body with all edits made; they must not overlap. Edits at one offset are made in their
/// order.
std::string splice(std::string_view body, std::vector<Edit> edits);

/// The edit that makes `model` the request's model.
Edit set_model(const RequestView& request, std::string_view model);

/// The edit that makes the request ask for a stream.
Edit set_stream(const RequestView& request);

/// When a node counts tokens for a stream's reader.
enum class UsageReports {
  at_end,
  each_chunk  ///< also on the way: vLLM's continuous_usage_stats
};

/// The edit that asks for usage; only for a request without stream_options.
Edit set_include_usage(const RequestView& request, UsageReports reports = UsageReports::at_end);

/// The same for one that has them, be it null. Their other members stay; so does the caller's own
/// word on usage in each chunk.
Edit complete_stream_options(std::string_view body, const RequestView& request,
                             UsageReports reports = UsageReports::at_end);

}  // namespace llmroute::wire
