/// What is published is seen at once, and what was seen stays whole.
#include "gateway/published.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <string>
#include <thread>
#include <vector>

using gateway::Published;

TEST_CASE("a reader sees the last value", "[gateway][published]") {
  Published<std::string> text;
  Published<std::string>::Reader early(text);
  CHECK(early.get().empty());
  text.publish("a");
  CHECK(early.get() == "a");
  text.publish("b");
  text.publish("c");
  Published<std::string>::Reader late(text);
  CHECK(early.get() == "c");
  CHECK(late.get() == "c");
  CHECK(&late.get() == &late.get());
}

TEST_CASE("readers on several threads never see half a value", "[gateway][published]") {
  Published<std::vector<int>> values;
  values.publish(std::vector<int>(100, 0));
  std::atomic<bool> stop = false;
  std::atomic<int> torn = 0;
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      Published<std::vector<int>>::Reader reader(values);
      for (int last = 0; !stop;) {
        const std::vector<int>& seen = reader.get();
        if (seen.front() != seen.back() || seen.front() < last) ++torn;
        last = seen.front();
      }
    });
  }
  for (int i = 1; i < 2000; ++i) values.publish(std::vector<int>(100, i));
  stop = true;
  for (std::thread& reader : readers) reader.join();
  CHECK(torn == 0);
}
