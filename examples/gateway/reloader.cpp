/// Waits, looks, takes.
#include "reloader.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <utility>

#include "gateway.hpp"

namespace gateway {
namespace {

using namespace std::chrono_literals;

constexpr auto settling = 100ms;  // a file that stands still for so long is not being written

/// A pipe gives its text but once.
bool can_be_read_again(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(path, ignored);
}

}  // namespace

Reloader::Reloader(Gateway& gateway, Flags flags, Environment environment)
    : gateway_(gateway),
      flags_(std::move(flags)),
      environment_(std::move(environment)),
      watch_(gateway.options().source, gateway.options().fingerprint),
      interval_(gateway.options().reload.interval) {
  thread_ = std::thread([this] { run(); });
}

Reloader::~Reloader() {
  {
    const std::lock_guard lock(mutex_);
    call_ = Call::end;
  }
  called_.notify_one();
  thread_.join();
}

void Reloader::reload() {
  {
    const std::lock_guard lock(mutex_);
    if (call_ == Call::none) call_ = Call::reload;
  }
  called_.notify_one();
}

Reloader::Call Reloader::wait(std::chrono::nanoseconds time) {
  std::unique_lock lock(mutex_);
  const auto called = [this] { return call_ != Call::none; };
  if (time > 0ns) {
    called_.wait_for(lock, time, called);
  } else {
    called_.wait(lock, called);
  }
  return call_ == Call::end ? Call::end : std::exchange(call_, Call::none);
}

void Reloader::run() {
  const bool there = can_be_read_again(watch_.path());
  for (Call call = wait(there ? interval_ : 0ns); call != Call::end;
       call = wait(there ? interval_ : 0ns)) {
    if (!there) {
      gateway_.log().line(LogLevel::warn, "not_reloaded").add("reason", "there is no file");
    } else if (call == Call::reload) {
      take();
    } else {
      look();
    }
  }
}

void Reloader::look() {
  Seen seen = watch_.look();
  while (seen == Seen::unsettled) {
    const Call call = wait(settling);
    if (call == Call::end) return;  // it stays called: the next wait says so again
    seen = call == Call::reload ? Seen::changed : watch_.look();
  }
  if (seen == Seen::changed) take();
}

void Reloader::take() {
  try {
    reload_file();
  } catch (const std::exception& error) {  // out of memory, say
    gateway_.log().line(LogLevel::error, "not_reloaded").add("reason", error.what());
  }
}

/// An empty file says nothing where the environment says enough to start with; here it is one that
/// is about to be written.
llmroute::Result<Options> Reloader::load_file() {
  auto text = watch_.take();
  if (!text) return std::move(text.error());
  if (text->find_first_not_of(" \t\r\n") == std::string::npos) {
    return llmroute::Error{.code = llmroute::ErrorCode::invalid_config,
                           .message = fmt::format("{}: is empty", watch_.path())};
  }
  return load_text(watch_.path(), *text, flags_, environment_);
}

void Reloader::reload_file() {
  auto options = load_file();
  auto restart = options ? gateway_.reload(*options)
                         : llmroute::Result<std::vector<std::string>>(std::move(options.error()));
  const Log& log = gateway_.log();
  if (!restart) {
    log.line(LogLevel::error, "not_reloaded").add("reason", restart.error().message).now();
    return;
  }
  interval_ = options->reload.interval;
  log.line(LogLevel::info, "reloaded")
      .add("configuration", watch_.path())
      .add("nodes", options->router.nodes.size())
      .now();
  if (restart->empty()) return;
  log.line(LogLevel::warn, "restart_needed")
      .add("sections", fmt::format("{}", fmt::join(*restart, ", ")))
      .now();
}

}  // namespace gateway
