// A program of somebody else's: it has to compile, link and find its way through the library's
// parts.
#include <cstdio>
#include <llmroute/llmroute.hpp>

int main() {
  const auto config = llmroute::Config::from_json(R"({"nodes":[{"url":"http://127.0.0.1:9"}]})");
  if (!config) return 1;
  const auto router = llmroute::Router::create(*config);
  if (!router) return 1;
  std::printf("llmroute %s, %zu node\n", llmroute::version(), router->snapshot().nodes.size());
}
