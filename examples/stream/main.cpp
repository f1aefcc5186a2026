// Prints an answer while it is written: example_stream "tell me a story" http://gpu-1:8000
// http://gpu-2:8000 ...
//
// The loop is turned on this very thread: reading slowly slows the node, nothing piles up in
// between.
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
  llmroute::Result<llmroute::Stream> stream = router->stream({.body = body});
  if (!stream) {
    std::fprintf(stderr, "%s\n", stream.error().message.c_str());
    return 1;
  }
  std::string text;
  for (const llmroute::Result<llmroute::Event>& event : *stream) {
    if (!event) {  // the node died in mid-answer: what it said is kept in the error
      std::fprintf(stderr, "\n%s\n", event.error().message.c_str());
      return 1;
    }
    text.clear();
    llmroute::wire::append_text(text, llmroute::wire::read_chunk(event->data));
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
  }
  std::printf("\nanswered by %s\n", stream->reply().node.c_str());
  return 0;
}
