// A strategy of one's own: example_own_strategy http://gpu-1:8000 http://gpu-2:8000 ...
//
// Nodes labelled with the caller's zone are preferred; among equals the one with the fewest calls
// in flight is taken. Who may be asked at all (health, breakers, caps) is settled before a strategy
// sees the nodes.
#include <cstdio>
#include <llmroute/llmroute.hpp>
#include <memory>

namespace {

using llmroute::NodeIndex;
using llmroute::NodeView;

class NearestZone final : public llmroute::Strategy {
 public:
  explicit NearestZone(std::string zone) : zone_(std::move(zone)) {}

  NodeIndex pick(std::span<const NodeView> nodes, const llmroute::PickRequest&,
                 llmroute::PickContext&) override {
    std::size_t best = 0;
    for (std::size_t i = 1; i < nodes.size(); ++i) {
      if (score(nodes[i]) < score(nodes[best])) best = i;
    }
    return NodeIndex{static_cast<std::uint32_t>(best)};
  }

 private:
  double score(const NodeView& node) const {
    const auto label = node.config().labels.find("zone");
    const bool near = label != node.config().labels.end() && label->second == zone_;
    return node.in_flight() + (near ? 0 : 1000);
  }

  std::string zone_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s NODE_URL...   (the first is in zone a, the others in b)\n",
                 argv[0]);
    return 2;
  }
  llmroute::Config config;
  for (int i = 1; i < argc; ++i) {
    config.nodes.push_back({.url = argv[i], .labels = {{"zone", i == 1 ? "a" : "b"}}});
  }
  llmroute::Router router(config);
  router.use(std::make_shared<NearestZone>("a"));
  for (int i = 0; i < 3; ++i) {
    const auto reply = router.route_chat(R"({"messages":[{"role":"user","content":"hello"}]})");
    std::printf("%s\n", reply ? reply->node.c_str() : reply.error().message.c_str());
    if (!reply) return 1;
  }
  return 0;
}
