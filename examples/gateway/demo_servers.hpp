/// The four programs of the demo, and the directory they work in.
#pragma once

#include <filesystem>
#include <functional>
#include <llmroute/result.hpp>
#include <string>
#include <vector>

#include "child_process.hpp"

namespace gateway {

/// A directory of its own that is gone with it.
class TemporaryFolder {
 public:
  static llmroute::Result<TemporaryFolder> make();
  TemporaryFolder(TemporaryFolder&& other) noexcept;
  TemporaryFolder& operator=(TemporaryFolder&&) = delete;
  ~TemporaryFolder();
  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  explicit TemporaryFolder(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

/// Started in this order: a fast vLLM, a slow Triton, a flaky OpenAI, the gateway in front of them.
class DemoServers {
 public:
  struct Provider {
    std::string name;
    int port = 0;
    std::string manner;  ///< in words
  };

  /// `give_up` ends the waiting for servers.
  static llmroute::Result<DemoServers> start(const std::function<bool()>& give_up);

  int port() const noexcept { return port_; }
  const std::vector<Provider>& providers() const noexcept { return providers_; }
  const std::string& configuration() const noexcept { return configuration_; }

 private:
  explicit DemoServers(TemporaryFolder folder) : folder_(std::move(folder)) {}
  llmroute::Result<int> launch(std::string name, std::vector<std::string> arguments,
                               const std::function<bool()>& give_up);

  TemporaryFolder folder_;  // first: it goes last
  std::vector<ChildProcess> children_{};
  std::vector<Provider> providers_{};
  std::string configuration_{};
  int port_ = 0;
};

}  // namespace gateway
