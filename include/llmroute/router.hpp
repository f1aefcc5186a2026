/// Router: the class most programs meet. It composes everything else: choice of node, health,
/// retries, limits, streams.
#pragma once

#include <cstdint>
#include <functional>
#include <llmroute/config.hpp>
#include <llmroute/core/strategy.hpp>
#include <llmroute/headers.hpp>
#include <llmroute/http_method.hpp>
#include <llmroute/net/event_loop.hpp>
#include <llmroute/observer.hpp>
#include <llmroute/rate_store.hpp>
#include <llmroute/result.hpp>
#include <llmroute/usage.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace llmroute {

/// What one call wants that differs from the router's configuration.
struct CallOptions {
  std::optional<Duration> deadline{};  ///< for the whole call; default timeouts.total
  std::optional<int> max_retries{};    ///< default router.max_retries
  std::string_view tenant{};           ///< who pays: fair queueing, limits, metrics
  int priority = 0;                    ///< in the queue: higher first
  std::string_view session_key{};      ///< keeps a conversation together, for strategies that care
  std::string_view request_id{};       ///< default: made by the router
  std::optional<Resume> resume{};      ///< default router.resume
  std::optional<RateLimits> limits{};  ///< of the tenant and the model; default as configured

  /// Which model a request is for that does not say so where the router reads. In JSON it stands in
  /// for a model that is not named, before router.default_model. Of a body that is passed on
  /// unread, a form say, it is what limits count for; nodes known to serve it are asked, or any
  /// node where none is, and the body goes as it is, with an alias by the alias's name. One that is
  /// not active is refused. Empty: none in particular.
  std::string_view model{};

  /// Blocking calls and pull streams: asked some twenty times a second while one waits, on the
  /// waiting thread; true ends it with `cancelled`. For hosts whose signals have to be looked for
  /// (Python, R), and for waits that another thread may end.
  std::function<bool()> interrupted{};
};

/// Views are borrowed until a blocking call returns; start() and run_on() copy what they keep.
struct Request {
  std::string_view path = "/v1/chat/completions";  ///< a query behind it goes to the node, too
  std::string_view body{};  ///< JSON, forwarded byte for byte but for `model`
  Headers headers{};        ///< sent upstream beside the router's own (traceparent, ...)
  CallOptions options{};

  /// Anything but JSON posted to a path on which a model answers is passed on as it is, for route()
  /// and plain calls only: to the first node, in the order of the configuration, that is good for
  /// options.model and does not say 404, 405 or 501.
  HttpMethod method = HttpMethod::post;
};

/// A whole answer; for a stream, what is known at its end (body empty).
struct Reply {
  int http_status = 0;
  Headers headers{};
  std::string body{};
  std::string node{};
  std::string model{};  ///< that answered, by the name callers use: as asked, or a fallback
  std::string request_id{};
  std::vector<AttemptRecord> attempts{};
  Usage usage{};
  Duration time{};                          ///< the call in all
  Duration at_nodes{};                      ///< of it, while a node was at work for it
  std::optional<Duration> first_content{};  ///< streams
  RateReport rate{};                        ///< where the tenant stands, when limits are on
};

/// One piece of a stream. Views are valid until the next one is asked for.
struct Event {
  std::string_view data{};  ///< the JSON of one chunk; empty for a comment
  std::string_view raw{};   ///< the whole event as bytes to forward, blank line included
};

/// What is known when a stream's first byte is about to reach the caller.
struct StreamHead {
  int http_status = 200;
  const Headers& headers;
  std::string_view node;
  std::string_view request_id;
  int attempts = 1;
  Duration at_nodes{};  ///< so long nodes have been at work for it
  RateReport rate{};    ///< where the tenant stands, when limits are on
};

/// Whether on_event is done with an event, or keeps its views until Call::drained(). While one is
/// kept no other comes and, once 64 KiB wait, the node is not read from.
enum class Taken { done, kept };

/// All run on the thread that turns the call's loop. on_done comes exactly once, last, and never
/// from inside start or run_on; it may destroy the Call. With on_event set the call is a stream,
/// without it a plain one.
struct Callbacks {
  std::function<void(const StreamHead&)> on_head{};
  std::function<Taken(const Event&)> on_event{};
  std::function<void(Result<Reply>)> on_done{};
};

namespace detail {
class CallHandle;
class StreamState;
class RouterCore;
}  // namespace detail

/// A call under way. Dropping it cancels it.
class Call {
 public:
  Call() noexcept;
  Call(Call&&) noexcept;
  Call& operator=(Call&&) noexcept;
  ~Call();

  /// Ends the call with `cancelled`; the upstream socket closes before the loop's next turn ends.
  /// Any thread.
  void cancel();

  /// The event that on_event kept is done with. Any thread, also before on_event has returned: it
  /// counts for the event that on_event was called with last, and for no later one.
  void drained();

  /// Blocks until on_done has returned. Not from a loop's thread; for start() only. In a forked
  /// child it comes back at once from a call of the parent's.
  void wait();

 private:
  friend class Router;
  explicit Call(std::shared_ptr<detail::CallHandle> handle) noexcept;
  std::shared_ptr<detail::CallHandle> handle_;
};

/// A stream to pull from. One thread at a time; which one may change between calls. Dropping it
/// cancels the call.
class Stream {
 public:
  Stream(Stream&&) noexcept;
  Stream& operator=(Stream&&) noexcept;
  ~Stream();

  /// The next event, none at the whole and proper end, or the error that cut the stream short.
  Result<std::optional<Event>> next();

  /// Node, attempts, usage so far; whole once next() gave none.
  const Reply& reply() const noexcept;

  class Iterator;
  Iterator begin();
  std::default_sentinel_t end() const noexcept { return {}; }

 private:
  friend class Router;
  explicit Stream(std::unique_ptr<detail::StreamState> state) noexcept;
  std::unique_ptr<detail::StreamState> state_;
};

/// Yields Result<Event>: an error is the last thing it yields.
class Stream::Iterator {
 public:
  using value_type = Result<Event>;
  using difference_type = std::ptrdiff_t;
  const Result<Event>& operator*() const noexcept { return *current_; }
  const Result<Event>* operator->() const noexcept { return &*current_; }
  Iterator& operator++();
  void operator++(int) { ++*this; }
  friend bool operator==(const Iterator& it, std::default_sentinel_t) noexcept {
    return !it.current_;
  }

 private:
  friend class Stream;
  Stream* stream_ = nullptr;
  std::optional<Result<Event>> current_;
};

/// What a node has said about its load; what it did not say is none.
struct NodeReport {
  LoadReport load{};
  double age_seconds = 0;
};

/// What the router knows of a node.
struct NodeSnapshot {
  std::string name;
  std::string url;
  bool healthy = true;
  bool draining = false;
  double weight = 1;
  double capacity = 1;
  int in_flight = 0;
  std::uint64_t requests = 0;
  std::uint64_t failures = 0;
  std::uint64_t connect_errors = 0;
  std::uint64_t timeout_errors = 0;
  std::uint64_t status_errors = 0;
  std::uint64_t protocol_errors = 0;
  double latency_ewma_seconds = 0;
  double first_content_ewma_seconds = 0;
  std::optional<double> latency_p50_seconds{};  ///< of recent whole answers, within 5 %
  std::optional<double> latency_p95_seconds{};
  std::optional<double> first_content_p50_seconds{};  ///< of recent streams
  std::optional<double> first_content_p95_seconds{};
  std::string breaker = "closed";  ///< closed | open | half_open
  std::uint64_t breaker_opened = 0;
  double breaker_retry_in_seconds = 0;
  std::vector<std::string> models;       ///< configured or learnt
  int keys = 1;                          ///< a node without any has one that is not sent
  int keys_resting = 0;                  ///< of them, for one model or for all
  std::optional<NodeReport> reported{};  ///< asked for when a strategy goes by it
  std::optional<double> score{};         ///< what the strategy compares now, the least the best
};

struct Snapshot {
  std::vector<NodeSnapshot> nodes;
  std::vector<std::string>
      models;  ///< what may be asked: aliases, and unlisted models where they are served
  std::size_t queue_depth = 0;
  std::size_t in_flight = 0;
};

/// What the router would do with a request now.
struct Explanation {
  std::string model{};  ///< as asked, or the default one
  std::string strategy{};
  std::vector<NodeExplanation> nodes{};  ///< every node there is
};

/// Thread safe, except that a loop given to run_on() is turned by one thread at a time and must
/// outlive its calls.
class Router {
 public:
  /// Checks the configuration (Config::prepare) and builds a router, or says what is wrong.
  static Result<Router> create(Config config);

  /// The same; throws ConfigError.
  explicit Router(Config config);
  Router(Router&&) noexcept;
  Router& operator=(Router&&) noexcept;
  ~Router();  ///< calls under way end with `shutting_down`, but for those on the application's
              ///< loops

  /// Blocks until the whole answer is there; on the calling thread, no hand-over. "stream": true is
  /// an invalid argument.
  Result<Reply> route(const Request& request);

  /// A stream to pull from, returned once its first content is there, or the error that kept it
  /// from that.
  Result<Stream> stream(const Request& request);

  /// Starts a call on the router's background loop. Throws std::bad_alloc, or std::system_error
  /// when the process is out of threads or descriptors: then nothing has begun and on_done does not
  /// come.
  Call start(const Request& request, Callbacks callbacks);

  /// Starts a call on `loop`; call it on the loop's thread. Throws std::bad_alloc: then nothing has
  /// begun and on_done does not come.
  Call run_on(EventLoop& loop, const Request& request, Callbacks callbacks);

  Result<Reply> route_chat(std::string_view body);        ///< POST /v1/chat/completions
  Result<Reply> route_completion(std::string_view body);  ///< POST /v1/completions
  Result<Reply> route_embedding(std::string_view body);   ///< POST /v1/embeddings

  /// Replaces the named strategy by the caller's own. Before the first call.
  void use(std::shared_ptr<Strategy> strategy);

  /// Replaces the count of limits in this process by the caller's own. Before the first call.
  void use(std::shared_ptr<RateStore> store);

  /// Adds an observer; it lives as long as the router. Before the first call.
  void use(std::shared_ptr<Observer> observer);

  /// Runs probes and model discovery on the application's loop instead of a thread of the router's.
  /// On the loop's thread, like the router's destruction afterwards; the loop outlives the router.
  void maintain(EventLoop& loop);

  Result<void> add_node(NodeConfig node);
  Result<void> update_node(NodeConfig node);  ///< the one of that name; what is known of it stays
  Result<void> remove_node(std::string_view name);             ///< calls on it go on to their end
  Result<void> drain_node(std::string_view name, bool drain);  ///< takes no new calls while true

  /// Takes over another configuration while calls run, all or nothing: nodes (what is known of
  /// those that stay is kept, also under another URL; those that came by add_node and are not in it
  /// go), models, limits, timeouts, and of [router] what concerns single calls. A call under way
  /// goes on with what it began with. The result names what differs and holds from the next start
  /// only: sections ("health") or keys ("router.seed").
  Result<std::vector<std::string>> reload(Config config);

  Snapshot snapshot() const;

  /// Every node with its score, why it would not be asked, and the pick. Asks nobody and counts
  /// nowhere, but strategies that take turns have taken one.
  Result<Explanation> explain(const Request& request) const;

  /// A copy of what it was made with or reloaded last.
  Config config() const;

 private:
  explicit Router(std::shared_ptr<detail::RouterCore> core) noexcept;
  std::shared_ptr<detail::RouterCore> core_;
};

}  // namespace llmroute
