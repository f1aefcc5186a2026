/// What a stream costs per chunk: finding the event, and reading its JSON.
#include <benchmark/benchmark.h>

#include <llmroute/wire/chunk_view.hpp>
#include <llmroute/wire/sse_parser.hpp>
#include <string>
#include <string_view>

namespace {

using namespace llmroute::wire;

constexpr std::string_view chunk =
    R"({"id":"chatcmpl-82c62a5d202843af","object":"chat.completion.chunk","created":1795230919,)"
    R"("model":"m","choices":[{"index":0,"delta":{"content":" hello"},"logprobs":null,)"
    R"("finish_reason":null}]})";

/// One event a feed, as tokens come.
void find_event(benchmark::State& state) {
  const std::string event = "data: " + std::string(chunk) + "\n\n";
  SseParser parser(1 << 20);
  for (auto _ : state) {
    parser.feed(event);
    while (const auto found = parser.next()) benchmark::DoNotOptimize(found->data);
  }
}
BENCHMARK(find_event);

void read_chunk(benchmark::State& state) {
  const std::string data(chunk);
  for (auto _ : state) benchmark::DoNotOptimize(llmroute::wire::read_chunk(data));
}
BENCHMARK(read_chunk);

}  // namespace
