/// Which lines go where.
#include "log.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <new>

namespace gateway {
namespace {

using llmroute::Result;

struct File {
  std::string_view name;
  bool structured;
  LogLevel least;
};

constexpr std::array files = {File{"llmroute.log", false, LogLevel::debug},
                              File{"llmroute-error.log", false, LogLevel::warn},
                              File{"llmroute-structured.log", true, LogLevel::debug}};

}  // namespace

Log::Log(LogLevel level, LogFormat format, int fd) : level_(level), format_(format) {
  if (fd >= 0) add_sink(format_, level_, std::make_unique<LogFile>(fd));
}

void Log::add_sink(LogFormat format, LogLevel least, std::unique_ptr<LogFile> file) {
  file->tell_losses([format](std::uint64_t lines) {
    LogPen pen(format, LogLevel::warn, "lines_lost");
    const fmt::format_int digits(lines);
    pen.plain("lines", {digits.data(), digits.size()});
    return std::string(pen.end());
  });
  sinks_.push_back({format, std::max(least, level_), std::move(file)});
  least_ = level_;
}

Result<void> Log::open_files(const std::string& dir) {
  std::error_code error;
  std::filesystem::create_directories(dir, error);
  if (error) {
    return llmroute::Error{.code = llmroute::ErrorCode::invalid_config,
                           .message = fmt::format("{}: {}", dir, error.message())};
  }
  for (const File& file : files) {
    auto output = LogOutput::open(fmt::format("{}/{}", dir, file.name));
    if (!output) return std::move(output.error());
    add_sink(file.structured ? LogFormat::json : format_, file.least,
             std::make_unique<LogFile>(std::move(*output)));
  }
  return {};
}

void Log::gather() const {
  for (const Sink& sink : sinks_) sink.file->gather();
}

void Log::flush() const {
  for (const Sink& sink : sinks_) sink.file->flush();
}

Log::Line Log::line(LogLevel level, std::string_view event) const {
  return {enabled(level) ? this : nullptr, level, event};
}

Log::Line::Line(const Log* log, LogLevel level, std::string_view event) : log_(log), level_(level) {
  if (log_ == nullptr) return;
  if (level >= LogLevel::warn) now();
  for (const Sink& sink : log_->sinks_) {
    std::optional<LogPen>& pen = sink.format == LogFormat::json ? json_ : text_;
    if (!pen && level >= sink.least) pen.emplace(sink.format, level, event);
  }
}

Log::Line::~Line() {
  if (log_ == nullptr) return;
  try {
    const std::string_view json = json_ ? json_->end() : std::string_view();
    const std::string_view text = text_ ? text_->end() : std::string_view();
    for (const Sink& sink : log_->sinks_) {
      if (level_ >= sink.least) sink.file->add(sink.format == LogFormat::json ? json : text, when_);
    }
  } catch (const std::bad_alloc&) {  // a very long line for which there is no memory
  }
}

Log::Line& Log::Line::add(std::string_view name, std::string_view text) {
  if (text.empty()) return *this;
  if (json_) json_->text(name, text);
  if (text_) text_->text(name, text);
  return *this;
}

Log::Line& Log::Line::plain(std::string_view name, std::string_view value) {
  if (json_) json_->plain(name, value);
  if (text_) text_->plain(name, value);
  return *this;
}

Log::Line& Log::Line::add(std::string_view name, std::chrono::nanoseconds time) {
  if (log_ == nullptr) return *this;
  const long us = std::max(0L, static_cast<long>((time.count() + 500) / 1000));
  const fmt::format_int whole(us / 1000);
  std::array<char, 32> digits;
  char* end = std::copy_n(whole.data(), whole.size(), digits.data());
  *end++ = '.';
  for (const long part : {us % 1000 / 100, us % 100 / 10, us % 10}) {
    *end++ = static_cast<char>('0' + part);
  }
  return plain(name, {digits.data(), static_cast<std::size_t>(end - digits.data())});
}

}  // namespace gateway
