#include "driver.hpp"

#include <unistd.h>

#include <vector>

#include "async_call.hpp"
#include "run_python.hpp"

namespace llmroute::python {

Driver::Driver(const py::object& asyncio_loop)
    : asyncio_loop_(py::weakref(asyncio_loop)), process_(getpid()) {}

Driver::~Driver() {
  while (!calls_.empty() && !forked()) loop_.run_ready();
}

void Driver::watch() {
  const py::object watch = py::cast(std::make_unique<DriverWatch>(shared_from_this()));
  asyncio_loop().attr("add_reader")(loop_.fd(), watch.attr("run_ready"));
  watched_ = true;
}

bool Driver::belongs_to(py::handle asyncio_loop) const {
  return this->asyncio_loop().is(asyncio_loop);
}

py::object Driver::create_future() const {
  return call(attribute(asyncio_loop(), "create_future"));
}

bool Driver::forked() const noexcept { return process_ != getpid(); }

py::object Driver::asyncio_loop() const { return asyncio_loop_(); }

void Driver::leave(AsyncCall& call) {
  calls_.erase(&call);
  if (retired_ && calls_.empty()) unwatch();
}

void Driver::retire() {
  retired_ = true;
  if (calls_.empty()) unwatch();
}

void Driver::close() {
  retired_ = true;
  if (calls_.empty()) return unwatch();
  for (AsyncCall* call : calls_) call->cancel();
}

void Driver::abandon() {
  if (forked()) return;
  retired_ = true;
  watched_ = false;
  for (AsyncCall* call : calls_) call->cancel();
  while (!calls_.empty()) loop_.run_ready();
}

/// What asyncio watches with is shared with the parent process, so a child leaves it alone. On
/// another thread than the loop's, or between two runs of it, the loop is asked to do it.
void Driver::unwatch() {
  const py::object loop = asyncio_loop();
  if (!watched_ || forked() || loop.is_none()) return;
  watched_ = false;
  try {
    const py::object remove = loop.attr("remove_reader");
    const py::object running = py::module_::import("asyncio").attr("_get_running_loop")();
    if (running.is(loop)) {
      remove(loop_.fd());
    } else {
      loop.attr("call_soon_threadsafe")(remove, loop_.fd());
    }
  } catch (const py::error_already_set&) {  // the loop is closed, and watches nothing any more
  }
}

void DriverWatch::bind(py::module_& module) {
  py::class_<DriverWatch>(module, "DriverWatch").def("run_ready", [](DriverWatch& watch) {
    watch.driver_->run_ready();
  });
}

}  // namespace llmroute::python
