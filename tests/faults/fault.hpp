/// The table of what a node can do wrong, as data: how it is done, and what a caller then gets.
#pragma once

#include <functional>
#include <llmroute/config.hpp>
#include <llmroute/core/failure.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "faults/faulty_node.hpp"

namespace llmroute::test {

/// What is said and how: the same fault meets plain calls and streams.
enum class Mode { plain, streamed };

/// What a call comes to, with the faulty node n1 first and n2 in order.
enum class Promise { from_n1, from_n2, from_either, refused };

/// Which clock ends the attempt; none: nothing is waited for.
enum class Limit { none, connect, headers, response, first_content, idle };

/// What is promised for one row and mode.
struct Expected {
  Promise promise = Promise::from_n2;
  ErrorCode code = ErrorCode::bad_upstream;  ///< of n1's attempt, and of a call with n1 alone ...
  std::optional<ErrorCode> or_code{};        ///< ... or this, where it is a matter of moments
  int alone_attempts = 3;                    ///< a call's with n1 alone and two retries
  Limit limit = Limit::none;
  int status = 0;                ///< of a refusal, as the caller sees it
  std::string_view reason = "";  ///< part of what is said of n1's attempt
  int finishes = 1;              ///< events with a finish_reason in a whole answer
  bool alone_whole = false;      ///< n1 alone answers after all, at its last attempt
  Blame blames = Blame::pair;    ///< whom n1's failure is charged to
};

/// One row.
struct Fault {
  std::string name;
  std::function<std::unique_ptr<FaultyNode>(Mode mode, std::size_t variant)> node;
  Expected plain;
  Expected streamed;
  std::function<std::size_t(Mode)> variants = [](Mode) { return std::size_t{1}; };
  std::function<void(Config&)> settings = [](Config&) {};
  /// The connection may be kept for a moment after the call, in the hope that it can be used again.
  bool lingers = false;
  std::string area{};  ///< the heading it stands under; filled in by all_faults
};

/// The text of every whole answer here, plain or streamed.
inline constexpr std::string_view whole_text = "Héllo wörld, said the node 😀";

std::vector<std::string> good_events();
Script good_script(Mode mode);

std::vector<Fault> connection_faults();
std::vector<Fault> head_faults();
std::vector<Fault> status_faults();
std::vector<Fault> body_faults();
std::vector<Fault> stream_faults();
std::vector<Fault> http2_faults();
const std::vector<Fault>& all_faults();

// Short ways to write rows.

/// A node that plays `script` to both kinds of call.
std::function<std::unique_ptr<FaultyNode>(Mode, std::size_t)> plays(Script script);
/// The same, with a script for each kind.
std::function<std::unique_ptr<FaultyNode>(Mode, std::size_t)> plays(Script plain, Script streamed);
std::function<std::unique_ptr<FaultyNode>(Mode, std::size_t)> makes(
    std::function<std::unique_ptr<FaultyNode>()> make);

/// Goes on with bytes that come to nothing, each in time for a clock that every byte would set
/// anew.
Script drips(Script script);

/// Another node answers; alone it is asked again.
Expected elsewhere(ErrorCode code, std::string_view reason = "");
/// Another node answers; alone it is not asked twice.
Expected only_elsewhere(ErrorCode code, Limit limit = Limit::none);
/// What the node said goes to the caller, status and body unchanged, and nobody else is asked.
Expected refused(int status);
/// Nothing is wrong after all.
Expected harmless();
/// The same, charged to somebody other than the pair of node and model.
Expected charged_to(Blame whom, Expected expected);

}  // namespace llmroute::test
