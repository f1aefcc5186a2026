/// Puts answers to callers together: which fields they carry, and in which words a failure is told.
#pragma once

#include <http/message.hpp>
#include <llmroute/router.hpp>
#include <optional>
#include <string_view>

namespace gateway {

/// What the gateway itself has added to a request's time; none: it has not been measured.
using Overhead = std::optional<llmroute::Duration>;

/// What every answer begins with.
http::Fields request_fields(std::string_view request_id);

/// A node's whole answer, body untouched.
http::Response answer_of(llmroute::Reply&& reply, std::string_view request_id,
                         Overhead overhead = {});

/// A call that failed before anything was sent.
http::Response answer_of(const llmroute::Error& error, std::string_view request_id,
                         Overhead overhead = {});

/// The fields of a streamed answer; `head` null: no node has answered yet.
http::Fields stream_fields(const llmroute::StreamHead* head, std::string_view request_id,
                           Overhead overhead = {});

/// A document of the gateway's own.
http::Response document(int status, std::string body, std::string_view request_id,
                        std::string_view content_type = "application/json");

}  // namespace gateway
