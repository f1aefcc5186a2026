// Calls on the application's own loop: example_own_loop http://gpu-1:8000 ...
//
// One thread, one bare poll(): an EventLoop is a descriptor that is readable when there is work, so
// it fits into any loop. Here eight streams run at once.
#include <poll.h>

#include <cstdio>
#include <llmroute/llmroute.hpp>
#include <vector>

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s NODE_URL...\n", argv[0]);
    return 2;
  }
  llmroute::Config config;
  for (int i = 1; i < argc; ++i) config.nodes.push_back({.url = argv[i]});
  llmroute::Router router(config);
  llmroute::EventLoop loop;

  int running = 0;
  int failed = 0;
  int events = 0;
  std::vector<llmroute::Call> calls;
  for (int i = 0; i < 8; ++i) {
    ++running;
    calls.push_back(router.run_on(
        loop, {.body = R"({"messages":[{"role":"user","content":"hello"}]})"},
        {.on_event =
             [&](const llmroute::Event&) {
               ++events;
               return llmroute::Taken::done;
             },
         .on_done =
             [&](llmroute::Result<llmroute::Reply> reply) {
               --running;
               if (!reply) ++failed;
               std::printf("%s\n", reply ? reply->node.c_str() : reply.error().message.c_str());
             }}));
  }
  while (running > 0) {
    pollfd ready{loop.fd(), POLLIN, 0};
    poll(&ready, 1, -1);
    loop.run_ready();
  }
  std::printf("8 streams, %d events, %d failed\n", events, failed);
  return failed == 0 ? 0 : 1;
}
