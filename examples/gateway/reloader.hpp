/// Reads the configuration's file again when it has changed, or when it is told to.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "file_watch.hpp"
#include "load.hpp"

namespace gateway {

class Gateway;

/// Works on a thread of its own: reading, checking and building what is new take time that the
/// workers have not. A file that is no good leaves the running configuration, and is logged once.
class Reloader {
 public:
  /// `flags` and `environment` are those of the start: they go on beating the file.
  Reloader(Gateway& gateway, Flags flags, Environment environment);
  ~Reloader();
  Reloader(const Reloader&) = delete;
  Reloader& operator=(const Reloader&) = delete;

  /// Reads the file now, changed or not. Any thread.
  void reload();

 private:
  enum class Call : std::uint8_t { none, reload, end };

  void run();
  Call wait(std::chrono::nanoseconds time);  // 0: until it is called
  void look();
  void take();
  void reload_file();
  llmroute::Result<Options> load_file();

  Gateway& gateway_;
  Flags flags_;
  Environment environment_;
  FileWatch watch_;
  std::chrono::nanoseconds interval_;
  std::mutex mutex_{};
  std::condition_variable called_{};
  Call call_ = Call::none;
  std::thread thread_{};  // last: it uses the others
};

}  // namespace gateway
