/// What a router keeps for each loop its calls run on, so that calls on different loops share
/// nothing they write to.
#pragma once

#include <cstdint>
#include <llmroute/config.hpp>
#include <llmroute/core/node_pool_reader.hpp>
#include <llmroute/core/rng.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "net/http_transfer.hpp"
#include "router/ending.hpp"

namespace llmroute::detail {

class RouterCore;

struct LoopState {
  explicit LoopState(RouterCore& core);

  /// Where `path` is on `node`: URL, fixed fields with the key at that place, TLS. Made at the
  /// first call and kept while the configuration stands; with a query, of which there are
  /// too many to keep them, made anew each time.
  net::Endpoint endpoint(const Node& node, std::string_view path, std::string_view query,
                         std::uint32_t key);

  /// Ends every call of the router on this loop. On the loop's thread.
  void end_all(Ending why);

  NodePool::Reader reader;
  Rng rng;
  net::Link roots{};  ///< CallRoot::Entry of each call under way

 private:
  const Config& latest_config();

  struct Known {
    std::string path;
    std::uint32_t key;
    net::Endpoint endpoint;
  };
  std::unordered_map<std::uint64_t, std::vector<Known>>
      endpoints_;                      // by revision of the node's configuration
  std::uint64_t settings_number_ = 0;  // that they were made with
};

}  // namespace llmroute::detail
