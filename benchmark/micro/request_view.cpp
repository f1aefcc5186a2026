/// Reading a request: once a call, from a short question to a long conversation.
#include <benchmark/benchmark.h>

#include <llmroute/wire/request_view.hpp>
#include <string>

namespace {

std::string request(std::int64_t content) {
  std::string body = R"({"model":"m","stream":true,"messages":[{"role":"user","content":")";
  for (std::int64_t i = 0; i < content; ++i) body += static_cast<char>('a' + i % 26);
  return body + R"("}]})";
}

void read_request(benchmark::State& state) {
  const std::string body = request(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(llmroute::wire::read_request(body));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(body.size()));
}
BENCHMARK(read_request)->Arg(16)->Arg(1000)->Arg(32'000)->Arg(1'000'000);

}  // namespace
