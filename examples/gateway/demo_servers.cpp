/// What is started, and how.
#include "demo_servers.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <fstream>

namespace gateway {
namespace {

using namespace std::chrono_literals;
using llmroute::Error;
using llmroute::ErrorCode;
using llmroute::Result;

struct Kind {
  const char* name;
  const char* type;
  int weight;
  const char* manner;
  const char* step;   ///< microseconds a token
  const char* fault;  ///< of the mock node; empty: none
};

constexpr std::array kinds = {
    Kind{"fast-vllm", "vllm", 3, "2 ms a token", "2000", ""},
    Kind{"slow-triton", "triton", 1, "20 ms a token", "20000", ""},
    Kind{"flaky-openai", "openai", 1, "every second request fails", "5000", "status=503,every=2"},
};

/// tenant-a may ask gpt-mini ten times at once; gpt-large is at one provider alone, the flaky one.
constexpr std::string_view rest_of_configuration = R"(models:
  - { name: gpt-mini, candidates: [fast-vllm, slow-triton, flaky-openai], strategy: weighted }
  - { name: gpt-large, candidates: [flaky-openai], fallbacks: [gpt-mini] }
tenants: { sk-demo-123: tenant-a, sk-demo-456: tenant-b }
rate_limits: [{ tenant: tenant-a, model: gpt-mini, rate: 5, burst: 10 }]
router: { retry_budget: 1 }
retry: { max_retries: 1, backoff: 0.1s }
circuit_breaker: { failures: 3, cooldown: 5s }
health: { interval: 1s }
)";

std::filesystem::path own_path() {
  std::error_code ignored;
  return std::filesystem::read_symlink("/proc/self/exe", ignored);
}

Error failed(std::string message) {
  return Error{.code = ErrorCode::internal, .message = std::move(message)};
}

/// So that a variable of ours does not beat the demo's configuration. Sanitizers' options go along.
std::vector<std::string> bare_environment() {
  std::vector<std::string> kept;
  for (const char* name :
       {"PATH", "HOME", "LANG", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"}) {
    if (const char* value = std::getenv(name)) kept.push_back(fmt::format("{}={}", name, value));
  }
  return kept;
}

}  // namespace

Result<TemporaryFolder> TemporaryFolder::make() {
  std::error_code ignored;
  std::string name =
      (std::filesystem::temp_directory_path(ignored) / "llmroute-demo-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) return failed(fmt::format("{}: cannot be made", name));
  return TemporaryFolder(name);
}

TemporaryFolder::TemporaryFolder(TemporaryFolder&& other) noexcept
    : path_(std::exchange(other.path_, {})) {}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

Result<int> DemoServers::launch(std::string name, std::vector<std::string> arguments,
                                const std::function<bool()>& give_up) {
  const std::string log = folder_.path() / (name + ".log");
  auto child = ChildProcess::start({std::move(arguments), bare_environment(), log});
  if (!child) return std::move(child.error());
  children_.push_back(std::move(*child));
  const auto port = children_.back().listening_port(20s, give_up);
  if (port) return *port;
  std::ifstream file(log);
  std::string line;
  std::getline(file, line);
  return failed(fmt::format("{} does not start: {}", name, line));
}

Result<DemoServers> DemoServers::start(const std::function<bool()>& give_up) {
  const std::filesystem::path gateway = own_path();
  const std::filesystem::path node = gateway.parent_path() / "llmroute-mock-node";
  if (!std::filesystem::exists(node)) {
    return failed(
        fmt::format("{}: is not there; the demo needs it beside the gateway", node.string()));
  }
  auto folder = TemporaryFolder::make();
  if (!folder) return std::move(folder.error());
  DemoServers servers(std::move(*folder));
  servers.configuration_ = "providers:\n";
  for (const Kind& kind : kinds) {
    std::vector<std::string> arguments = {node,        "--name",      kind.name,
                                          "--model",   "gpt-mini",    "--model",
                                          "gpt-large", "--decode-us", kind.step};
    if (*kind.fault != '\0') arguments.insert(arguments.end(), {"--fault", kind.fault});
    auto port = servers.launch(kind.name, std::move(arguments), give_up);
    if (!port) return std::move(port.error());
    servers.providers_.push_back({kind.name, *port, kind.manner});
    servers.configuration_ +=
        fmt::format("  - {{ name: {}, type: {}, url: \"http://127.0.0.1:{}\", weight: {} }}\n",
                    kind.name, kind.type, *port, kind.weight);
  }
  servers.configuration_ += rest_of_configuration;
  const std::filesystem::path file = servers.folder_.path() / "providers.yaml";
  std::ofstream(file) << servers.configuration_;
  auto port = servers.launch("gateway", {gateway, "run", "--config", file, "--port", "0"}, give_up);
  if (!port) return std::move(port.error());
  servers.port_ = *port;
  return servers;
}

}  // namespace gateway
