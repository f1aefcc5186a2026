// The C interface without memory: whichever allocation fails, the caller gets a number and an
// error, and what it owns is whole.
#include "capi/capi_fixture.hpp"
#include "faultinject/failing.hpp"

using namespace llmroute;
using namespace llmroute::test;

namespace {

/// `run(error)` with the n-th allocation failing, for every n there is. It gives a status.
template <class F>
void with_each_failing(F&& run) {
  int refused = 0;
  for (long n = 1;; ++n) {
    OwnedError error;
    bool failed = false;
    llmroute_status status = LLMROUTE_OK;
    {
      FailNth fail(Failing::allocations, HowOften::once, n);
      status = run(error);
      failed = fail.failed();
    }
    INFO("allocation " << n << ": " << llmroute_error_message(error, nullptr));
    CHECK((status == LLMROUTE_OK || status == LLMROUTE_INTERNAL));
    CHECK(llmroute_error_code(error) == status);
    if (status == LLMROUTE_INTERNAL) ++refused;
    if (!failed) {
      CHECK(status == LLMROUTE_OK);
      CHECK(refused > 0);
      return;
    }
  }
}

}  // namespace

TEST_CASE("making a router without memory", "[capi][failure]") {
  const std::string config = config_for({"http://127.0.0.1:9"});
  with_each_failing([&](OwnedError& error) {
    OwnedRouter router;
    const llmroute_status status =
        llmroute_router_new(config.data(), config.size(), &router, &error);
    CHECK((router != nullptr) == (status == LLMROUTE_OK));
    return status;
  });
}

TEST_CASE("changing and reading a router without memory", "[capi][failure]") {
  const OwnedRouter router = router_of(config_for({"http://127.0.0.1:9"}));
  OwnedText json;  // once, so that this thread's parser has its buffers
  REQUIRE(llmroute_router_explain(router, hello.data(), hello.size(), nullptr, &json, nullptr,
                                  nullptr) == LLMROUTE_OK);
  SECTION("a snapshot") {
    with_each_failing([&](OwnedError& error) {
      return llmroute_router_snapshot(router, &json, nullptr, &error);
    });
  }
  SECTION("an explanation") {
    with_each_failing([&](OwnedError& error) {
      return llmroute_router_explain(router, hello.data(), hello.size(), nullptr, &json, nullptr,
                                     &error);
    });
  }
  SECTION("a node") {
    const std::string node = R"({"name":"n1","url":"http://127.0.0.1:10","models":["m"]})";
    with_each_failing([&](OwnedError& error) {
      return llmroute_router_update_node(router, node.data(), node.size(), &error);
    });
  }
}

TEST_CASE("a strategy without memory is let go of", "[capi][failure]") {
  int freed = 0;
  int tries = 0;
  auto strategy = sized<llmroute_strategy>();
  strategy.user_data = &freed;
  strategy.pick = [](void*, const llmroute_pick*) { return 0u; };
  strategy.free_user_data = [](void* count) { ++*static_cast<int*>(count); };
  OwnedRouter router = router_of(config_for({"http://127.0.0.1:9"}));
  with_each_failing([&](OwnedError& error) {
    ++tries;
    return llmroute_router_use_strategy(router, &strategy, &error);
  });
  CHECK(freed == tries - 1);
  router.reset();
  CHECK(freed == tries);
}

TEST_CASE("a request that is refused without memory for the error", "[capi][failure]") {
  const OwnedRouter router = router_of(config_for({"http://127.0.0.1:9"}));
  CHECK(llmroute_route(router, "{", 1, nullptr, nullptr, nullptr) == LLMROUTE_INVALID_ARGUMENT);
  OwnedText json;
  CHECK(llmroute_router_explain(router, "{", 1, nullptr, &json, nullptr, nullptr) ==
        LLMROUTE_INVALID_ARGUMENT);
  FailNth fail(Failing::allocations, HowOften::from_then_on, 1);
  llmroute_reply* reply = nullptr;
  llmroute_error* error = nullptr;
  const llmroute_status status = llmroute_route(router, "{", 1, nullptr, &reply, &error);
  const bool told = error != nullptr && *llmroute_error_message(error, nullptr) != '\0';
  llmroute_error_free(error);
  llmroute_error_free(error);  // one that is always there
  const Unharmed rest;
  CHECK(status != LLMROUTE_OK);
  CHECK(reply == nullptr);
  CHECK(told);
}
