/// llmroute.Stream: the blocking form, turned on the reader's own thread.
#pragma once

#include <pybind11/pybind11.h>

#include <atomic>
#include <llmroute/router.hpp>
#include <memory>
#include <optional>

#include "arguments.hpp"
#include "interrupt.hpp"

namespace llmroute::python {

class PullStream {
 public:
  /// Blocks until the first content is there.
  PullStream(const std::shared_ptr<Core>& core, Arguments arguments);
  ~PullStream();
  PullStream(const PullStream&) = delete;
  PullStream& operator=(const PullStream&) = delete;

  /// The JSON of the next chunk as bytes, or None.
  py::object read();

  /// The next event as it is to be forwarded, or None.
  py::object read_raw();

  /// What iterating yields: dicts, or bytes where `raw` is set. Raises StopIteration.
  py::object next();

  /// Cancels the call unless it is over. From any thread; one that is reading ends.
  void close();

  /// Known from the first content on; whole at the stream's end.
  const Reply& head() const noexcept { return head_; }

  bool raw = false;

  static void bind(py::module_& module);

 private:
  class Reading;
  enum class Form { data, raw };

  std::optional<std::string_view> pull(Form form);
  Result<std::optional<std::string_view>> wait_for(Form form);
  Error closed() const;
  void drop();

  Interrupt interrupt_;
  std::shared_ptr<Core> core_;
  std::optional<Stream> stream_;
  Reply head_;
  bool done_left_ = false;  // to be given to those who forward
  bool ended_ = false;      // wholly and properly
  std::atomic<bool> reading_{false};
};

}  // namespace llmroute::python
