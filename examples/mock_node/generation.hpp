/// One answer under way: paced, faulted, and gone with its caller.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "fault.hpp"
#include "http/handler.hpp"
#include "pace.hpp"
#include "question.hpp"

namespace mock {

/// What the node has seen, for /control/stats and /metrics.
struct Counters {
  long requests = 0;
  long aborted = 0;  ///< their callers went away
  long active = 0;
  long finished = 0;
  long prompt_tokens = 0;
  long generated_tokens = 0;
};

/// Keeps itself alive until the answer has ended or the caller has gone.
class Generation final : public http::Exchange, public std::enable_shared_from_this<Generation> {
 public:
  Generation(boost::asio::io_context& context, Pace& pace, Counters& counters, Question question,
             const Fault* fault, http::Responder responder);
  ~Generation();

  void start(int embedding_dimension);
  void on_writable() override;
  void on_gone() override;

 private:
  void begin();
  void prefilled();
  void give_plain();
  void give_more();
  std::string next_event();
  bool cut_is_due() const noexcept;
  void cut(std::string_view piece);
  void later(Clock::time_point when, void (Generation::*what)());
  void finish();
  std::string nonsense() const;

  Pace& pace_;
  Counters& counters_;
  Question question_;
  Fault fault_{};
  http::Responder responder_;
  boost::asio::steady_timer timer_;
  std::shared_ptr<Generation> self_;
  std::string id_;
  std::string kept_;
  std::uint64_t ticket_ = 0;
  std::size_t sent_ = 0;
  std::size_t events_ = 0;
  std::size_t tokens_ = 0;  // given of the first choice
  std::size_t at_ = 0;      // the next piece
  int dimension_ = 0;
  bool roles_given_ = false;
  bool usage_given_ = false;
  bool done_ = false;
  bool cut_ = false;
  bool over_ = false;
};

}  // namespace mock
