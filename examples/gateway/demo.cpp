/// The twenty requests and what is printed of them.
#include "demo.hpp"

#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <thread>

#include "demo_servers.hpp"
#include "http_exchange.hpp"

namespace gateway {
namespace {

using namespace std::chrono_literals;
using llmroute::Result;

constexpr int requests = 20;
constexpr int of_tenant_a = 14;  // its limit lets ten of them in

std::atomic<int> signalled{0};

extern "C" void note_signal(int number) { signalled.store(number); }

bool interrupted() { return signalled.load() != 0; }

/// From now on a signal is noted, and what waits for the servers looks for it.
void heed_signals() {
  struct sigaction action {};
  action.sa_handler = note_signal;
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaction(number, &action, nullptr);
}

/// A question and, in time, its answer.
struct Asking {
  std::string id{};
  std::string tenant{};
  std::string model{};
  std::optional<Result<Exchange>> answer{};
  std::chrono::steady_clock::duration time{};

  int status() const { return *answer ? (*answer)->status : 0; }
  std::string_view field(const char* name) const {
    return *answer ? (*answer)->field(name) : std::string_view();
  }
  /// More than one node was asked, or the answer is another model's.
  bool elsewhere() const {
    return status() == 200 && !field("x-llmroute-attempts").empty() &&
           field("x-llmroute-attempts") != "1";
  }
};

void ask(int port, Asking& asking) {
  const bool a = asking.tenant == "tenant-a";
  const std::string fields = fmt::format("Authorization: Bearer {}\r\nX-Request-ID: {}\r\n",
                                         a ? "sk-demo-123" : "sk-demo-456", asking.id);
  const std::string body = fmt::format(
      R"({{"model":"{}","max_tokens":16,"messages":[{{"role":"user","content":"Question {}"}}]}})",
      asking.model, asking.id);
  const auto begin = std::chrono::steady_clock::now();
  asking.answer = http_exchange(port, "POST", "/v1/chat/completions", fields, body);
  asking.time = std::chrono::steady_clock::now() - begin;
}

std::vector<Asking> questions() {
  std::vector<Asking> all(requests);
  for (int i = 0; i < requests; ++i) {
    const bool a = i < of_tenant_a;
    all[static_cast<std::size_t>(i)] = {.id = fmt::format("demo-{:02}", i + 1),
                                        .tenant = a ? "tenant-a" : "tenant-b",
                                        .model = a ? "gpt-mini" : "gpt-large"};
  }
  return all;
}

/// All at once. A signal ends the servers, and so every wait for an answer.
void ask_all(std::optional<Result<DemoServers>>& servers, std::vector<Asking>& all) {
  const int port = (*servers)->port();
  std::atomic<int> running{requests};
  std::vector<std::thread> threads;
  for (Asking& one : all) {
    threads.emplace_back([port, &one, &running] {
      ask(port, one);
      running.fetch_sub(1);
    });
  }
  while (running.load() > 0 && !interrupted()) std::this_thread::sleep_for(5ms);
  if (interrupted()) servers.reset();
  for (std::thread& thread : threads) thread.join();
}

void print_servers(const DemoServers& servers) {
  fmt::print("Three providers, and the gateway on http://127.0.0.1:{}\n\n", servers.port());
  for (const DemoServers::Provider& provider : servers.providers()) {
    fmt::print("   {:<13} http://127.0.0.1:{:<6} {}\n", provider.name, provider.port,
               provider.manner);
  }
  fmt::print("\nIts configuration\n\n{}\n", servers.configuration());
  std::fflush(stdout);
}

void print_decisions(const std::vector<Asking>& all) {
  fmt::print("Twenty requests at once: routing decisions\n\n");
  for (const Asking& one : all) {
    const double ms = std::chrono::duration<double, std::milli>(one.time).count();
    const std::string_view node = one.field("x-routed-node");
    const std::string_view attempts = one.field("x-llmroute-attempts");
    fmt::print("   {}  {}  {:<9}  {}  {:<13} {:>5.0f} ms{}\n", one.id, one.tenant, one.model,
               one.status(), node.empty() ? "-" : node, ms,
               one.elsewhere() ? fmt::format("  attempt {}", attempts) : "");
  }
}

/// How many there are of a kind, and which.
template <class F>
int print_those(std::string_view title, const std::vector<Asking>& all, F&& belongs) {
  std::string ids;
  int count = 0;
  for (const Asking& one : all) {
    if (!belongs(one)) continue;
    ids += ' ';
    ids += one.id;
    ++count;
  }
  fmt::print("\n{}: {}{}{}\n", title, count, count > 0 ? " -" : "", ids);
  return count;
}

/// The documented metrics without the buckets of their histograms.
void print_metrics(int port) {
  const auto page = http_exchange(port, "GET", "/metrics", "", "");
  fmt::print("\nFinal metrics\n\n");
  std::string_view rest = page ? std::string_view(page->body) : std::string_view();
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const bool shown = !line.empty() && line.front() != '#' && line.find("_bucket{") == line.npos;
    if (shown) fmt::print("   {}\n", line);
  }
}

int report(const DemoServers& servers, const std::vector<Asking>& all) {
  print_decisions(all);
  print_those("Rate-limit hits", all, [](const Asking& one) { return one.status() == 429; });
  print_those("Fallbacks", all, [](const Asking& one) { return one.elsewhere(); });
  print_metrics(servers.port());
  const int bad = print_those("Not answered", all, [](const Asking& one) {
    return one.status() != 200 && one.status() != 429;
  });
  return bad == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace

int demo() {
  heed_signals();
  std::optional<Result<DemoServers>> servers = DemoServers::start(interrupted);
  if (!interrupted() && !*servers) {
    fmt::print(stderr, "llmroute-gateway: {}\n", servers->error().message);
    return EXIT_FAILURE;
  }
  std::vector<Asking> all = questions();
  if (!interrupted()) {
    print_servers(**servers);
    ask_all(servers, all);
  }
  if (interrupted()) return servers.reset(), 128 + signalled.load();
  return report(**servers, all);
}

}  // namespace gateway
