/// The same calls as the floors make, by Router::run_on on one loop.
#include <cstdio>
#include <llmroute/llmroute.hpp>
#include <vector>

#include "answers.hpp"
#include "client.hpp"
#include "meter.hpp"

namespace {

class RouterCalls {
 public:
  explicit RouterCalls(const bench::Client& client)
      : client_(client),
        router_(config(client)),
        calls_(static_cast<std::size_t>(client.in_flight)),
        meter_(client.calls) {}

  int run() {
    for (std::size_t i = 0; i < calls_.size(); ++i) start(i);
    while (!meter_.finished()) {
      loop_.run_for(std::chrono::seconds(1));
      std::vector<std::size_t> free;
      free.swap(free_);
      for (const std::size_t slot : free) {
        if (started_ < client_.calls) start(slot);
      }
    }
    return meter_.report();
  }

 private:
  static llmroute::Config config(const bench::Client& client) {
    llmroute::Config config;
    config.nodes.push_back({.name = "node", .url = client.node(), .models = {"m"}});
    return config;
  }

  void start(std::size_t slot) {
    ++started_;
    llmroute::Callbacks callbacks;
    if (client_.stream) {
      callbacks.on_event = [this](const llmroute::Event&) {
        meter_.count_chunk();
        return llmroute::Taken::done;
      };
    }
    callbacks.on_done = [this, slot](const llmroute::Result<llmroute::Reply>& reply) {
      finish(slot, reply);
    };
    const llmroute::Request request{.body = bench::question(client_.stream)};
    calls_[slot] = router_.run_on(loop_, request, std::move(callbacks));
  }

  void finish(std::size_t slot, const llmroute::Result<llmroute::Reply>& reply) {
    meter_.count_call();
    free_.push_back(slot);
    if (reply) return;
    meter_.count_failure();
    std::fprintf(stderr, "%s\n", reply.error().message.c_str());
  }

  bench::Client client_;
  llmroute::Router router_;
  llmroute::EventLoop loop_;
  std::vector<llmroute::Call> calls_;
  std::vector<std::size_t> free_;  ///< slots whose call is over
  long started_ = 0;
  bench::Meter meter_;
};

}  // namespace

int main(int argc, char** argv) { return RouterCalls(bench::read_client(argc, argv)).run(); }
