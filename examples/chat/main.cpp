// Asks several nodes one question: example_chat "why is the sky blue?" http://gpu-1:8000
// http://gpu-2:8000 ...
//
// A node that is down or fails is left out and the next one asked; what comes back is one answer or
// one error.
#include <cstdio>
#include <llmroute/llmroute.hpp>
#include <string>

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: %s QUESTION NODE_URL...\n", argv[0]);
    return 2;
  }
  llmroute::Config config;
  for (int i = 2; i < argc; ++i) config.nodes.push_back({.url = argv[i]});
  llmroute::Result<llmroute::Router> router = llmroute::Router::create(config);
  if (!router) {
    std::fprintf(stderr, "%s\n", router.error().message.c_str());
    return 2;
  }

  const std::string body =
      R"({"messages":[{"role":"user","content":)" + llmroute::wire::json_quote(argv[1]) + "}]}";
  const llmroute::Result<llmroute::Reply> reply = router->route_chat(body);
  if (!reply) {
    std::fprintf(stderr, "%s\n", reply.error().message.c_str());
    for (const llmroute::AttemptRecord& attempt : reply.error().attempts) {
      std::fprintf(stderr, "  %s: %s\n", attempt.node.c_str(), attempt.reason.c_str());
    }
    return 1;
  }
  std::printf("%s\n", reply->body.c_str());
  std::printf("answered by %s in %.0f ms, %zu attempt(s)\n", reply->node.c_str(),
              llmroute::seconds(reply->time) * 1000, reply->attempts.size());
  return 0;
}
