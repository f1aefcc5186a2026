/// Jobs in order, on a thread of their own.
#include "gateway/store/store_thread.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <vector>

using gateway::StoreThread;
using namespace std::chrono_literals;

TEST_CASE("jobs run in order on one other thread, the last before the end", "[gateway][store]") {
  std::vector<int> order;
  std::vector<std::thread::id> threads;
  {
    StoreThread thread([] {}, 0s);
    for (int i = 0; i < 100; ++i) {
      thread.post([&, i] {
        order.push_back(i);
        threads.push_back(std::this_thread::get_id());
      });
    }
  }
  REQUIRE(order.size() == 100);
  CHECK(std::is_sorted(order.begin(), order.end()));
  CHECK(std::count(threads.begin(), threads.end(), threads.front()) == 100);
  CHECK(threads.front() != std::this_thread::get_id());
}

TEST_CASE("between jobs it does its own at times", "[gateway][store]") {
  std::promise<void> thrice;
  std::atomic<int> turns = 0;
  std::atomic<int> jobs = 0;
  StoreThread thread(
      [&] {
        if (++turns == 3) thrice.set_value();
      },
      1ms);
  thread.post([&] { ++jobs; });
  REQUIRE(thrice.get_future().wait_for(10s) == std::future_status::ready);
  CHECK(jobs == 1);
}
