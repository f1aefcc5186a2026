/// The native half of llmroute.Router.
#pragma once

#include <pybind11/pybind11.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "arguments.hpp"
#include "async_call.hpp"
#include "core.hpp"
#include "held.hpp"
#include "pull_stream.hpp"
#include "reply.hpp"

namespace llmroute::python {

class PyRouter {
 public:
  /// `config` is the JSON form; `source` names it in messages. The last two may be None.
  PyRouter(std::string config, std::string_view source, const py::object& strategy,
           const py::object& observer);
  ~PyRouter();
  PyRouter(const PyRouter&) = delete;
  PyRouter& operator=(const PyRouter&) = delete;

  PyReply route(const Arguments& arguments);
  std::unique_ptr<PullStream> stream(Arguments arguments);
  AsyncCallHandle start(const Arguments& arguments, AsyncCall::Kind kind);

  py::dict snapshot() const;
  py::dict explain(std::string_view path, const py::object& body) const;
  std::vector<std::string> models() const;
  void add_node(std::string_view node_json);
  std::vector<std::string> reload(std::string config, std::string_view source);
  void update_node(std::string_view node_json);
  void remove_node(std::string_view name);
  void drain_node(std::string_view name, bool drain);

  /// Ends the calls under way; what comes after is refused.
  void close();

  /// What makes another like it: configuration, strategy, observer.
  py::tuple recipe() const;

  /// For the garbage collector.
  std::array<const std::shared_ptr<Held>*, 2> held() const noexcept {
    return {&strategy_, &observer_};
  }
  void clear();

  static void bind(py::module_& module);

 private:
  std::shared_ptr<Core> core() const;
  std::shared_ptr<Driver> driver();
  template <class F>
  void change(F&& f) const;

  std::string config_;
  std::shared_ptr<Held> strategy_;
  std::shared_ptr<Held> observer_;
  std::shared_ptr<Core> core_;  // none once closed
  std::vector<std::weak_ptr<Driver>> drivers_{};
};

/// Closes every router there is: before the interpreter ends, while threads may still have the GIL.
void close_all_routers();

}  // namespace llmroute::python
