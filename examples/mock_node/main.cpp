// llmroute-mock-node: looks like vLLM, slows under load like it, and fails on request. `--help` and
// fault.hpp are the manual.
#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdio>

#include "http/server.hpp"
#include "node.hpp"

int main(int argc, char** argv) {
  mock::NodeOptions options;
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
  std::string fault;
  CLI::App app{"llmroute-mock-node: a node for tests and demos that looks like vLLM"};
  app.add_option("--host", host, "address to listen on")->capture_default_str();
  app.add_option("--port", port, "0 takes one that is free");
  app.add_option("--name", options.name, "for /control/stats");
  app.add_option("--model", options.models, "a model it serves; may be given several times");
  app.add_option("--api-key", options.api_key, "refuse requests without this Bearer token");
  app.add_option("--prefill-us-per-token", options.pace.prefill_us_per_token,
                 "microseconds a prompt token");
  app.add_option("--decode-us", options.pace.decode_us, "microseconds a step of the batch");
  app.add_option("--max-num-seqs", options.pace.max_num_seqs, "slots of the batch")
      ->check(CLI::PositiveNumber);
  app.add_option("--answer-tokens", options.answer_tokens,
                 "tokens after which an answer ends by itself; without it as long as is asked for");
  app.add_option("--reasoning-field", options.reasoning_field, "where thoughts are given")
      ->capture_default_str();
  app.add_option("--embedding-dim", options.embedding_dimension, "numbers in an embedding")
      ->check(CLI::PositiveNumber);
  app.add_option("--seed", options.seed, "for faults that strike a share of the requests");
  app.add_option(
      "--fault", fault,
      "what it does wrong: status=503,retry_after=1 | delay_ms=N | stall=headers|content|middle | "
      "garbage=text|html|error|error-event | reset=N | close=N | close_events=N | "
      "cut=fin|rst|end|stall|error|garbage with bytes=N, events=N or tokens=N; with every=N, "
      "p=0.3, "
      "times=N or only=chat|completion|embedding for some requests only. Several with semicolons "
      "between them are for one request each. A request for the model fault:<the same> fails "
      "alone");
  CLI11_PARSE(app, argc, argv);
  if (!fault.empty()) {
    llmroute::Result<mock::FaultPlan> parsed = mock::FaultPlan::parse(fault, options.seed);
    if (!parsed) {
      std::fprintf(stderr, "%s\n", parsed.error().message.c_str());
      return 2;
    }
    options.faults = std::move(*parsed);
  }

  boost::asio::io_context context{1};
  mock::Node node(context, options);
  http::ConnectionCaps caps(20000, 0);
  http::Server server(context, node, {}, caps);
  const llmroute::Result<std::uint16_t> listening = server.listen(host, port);
  if (!listening) {
    std::fprintf(stderr, "%s\n", listening.error().message.c_str());
    return 2;
  }
  std::printf("listening on http://%s:%u\n", host.c_str(), static_cast<unsigned>(*listening));
  std::fflush(stdout);
  boost::asio::signal_set signals(context, SIGINT, SIGTERM);
  signals.async_wait([&](const boost::system::error_code&, int) { context.stop(); });
  context.run();
  return 0;
}
