// What is said of a configuration that is wrong.
#include <catch2/catch.hpp>
#include <llmroute/config.hpp>

using namespace llmroute;

namespace {

/// The message and field of a configuration that is refused.
Error refused(std::string_view json) {
  const Result<Config> config = Config::from_json(json, "c.json");
  CAPTURE(json);
  if (config) FAIL("is taken: " << json);
  CHECK(config.error().code == ErrorCode::invalid_config);
  return config.error();
}

std::string message(std::string_view json) { return refused(json).message; }

}  // namespace

TEST_CASE("an unknown key is refused with the nearest right one", "[config]") {
  CHECK(message(R"({"router":{"max_retrys":1}})") ==
        R"(c.json:1: key "router.max_retrys": unknown; nearest: "router.max_retries")");
  CHECK(message(R"({"ruoter":{}})") == R"(c.json:1: key "ruoter": unknown; nearest: "router")");
  CHECK(message("{\"nodes\":[\n{},\n{\"tls\":{\n\"verfy\":true}}]}") ==
        R"(c.json:4: key "nodes[1].tls.verfy": unknown; nearest: "nodes[1].tls.verify")");
  CHECK(refused(R"({"models":[{"nmae":"x"}]})").param == "models[0].nmae");
  CHECK(Config::from_json(R"({"x":1})").error().message.substr(0, 15) == "configuration:1");
}

TEST_CASE("a key given twice is refused", "[config]") {
  CHECK(message("{\"router\":{\"seed\":1,\n\"seed\":1}}") ==
        R"(c.json:2: key "router.seed": is given twice)");
  CHECK(refused(R"({"nodes":[],"nodes":[]})").param == "nodes");
  CHECK(refused(R"({"models":[{"weights":{"a":1,"a":2}}]})").param == "models[0].weights.a");
  CHECK(refused(R"({"nodes":[{"labels":{"a":"1","a":"1"}}]})").param == "nodes[0].labels.a");
}

TEST_CASE("a value that does not fit its key is refused by the key", "[config]") {
  const auto [json, key] = GENERATE(table<std::string, std::string>({
      {R"({"router":7})", "router"},
      {R"({"router":[]})", "router"},
      {R"({"nodes":{}})", "nodes"},
      {R"({"nodes":[7]})", "nodes[0]"},
      {R"({"router":{"strategy":1}})", "router.strategy"},
      {R"({"router":{"all_down":1}})", "router.all_down"},
      {R"({"router":{"all_down":"waiting"}})", "router.all_down"},
      {R"({"router":{"max_retries":-1}})", "router.max_retries"},
      {R"({"router":{"max_retries":1.5}})", "router.max_retries"},
      {R"({"router":{"max_retries":"1"}})", "router.max_retries"},
      {R"({"router":{"max_retries":3000000000}})", "router.max_retries"},
      {R"({"router":{"retry_budget":-0.1}})", "router.retry_budget"},
      {R"({"router":{"retry_budget":"0.1"}})", "router.retry_budget"},
      {R"({"router":{"seed":-1}})", "router.seed"},
      {R"({"router":{"seed":"x"}})", "router.seed"},
      {R"({"router":{"backoff":-1}})", "router.backoff"},
      {R"({"router":{"backoff":"-1s"}})", "router.backoff"},
      {R"({"router":{"backoff":"soon"}})", "router.backoff"},
      {R"({"router":{"backoff":true}})", "router.backoff"},
      {R"({"router":{"max_event":"1 parsec"}})", "router.max_event"},
      {R"({"router":{"max_event":"-1KB"}})", "router.max_event"},
      {R"({"router":{"max_event":-1}})", "router.max_event"},
      {R"({"router":{"max_event":1.5}})", "router.max_event"},
      {R"({"router":{"max_event":"9999999GB"}})", "router.max_event"},
      {R"({"router":{"max_event":null}})", "router.max_event"},
      {R"({"backpressure":{"max_queue_size":-1}})", "backpressure.max_queue_size"},
      {R"({"backpressure":{"max_queue_size":"many"}})", "backpressure.max_queue_size"},
      {R"({"health":{"active":1}})", "health.active"},
      {R"({"limits":{"default_rpm":-1}})", "limits.default_rpm"},
      {R"({"limits":{"default_rpn":1}})", "limits.default_rpn"},
      {R"({"hedge":{"delay":"p50"}})", "hedge.delay"},
      {R"({"nodes":[{},{"models":"m"}]})", "nodes[1].models"},
      {R"({"nodes":[{"models":[1]}]})", "nodes[0].models"},
      {R"({"nodes":[{"labels":[]}]})", "nodes[0].labels"},
      {R"({"nodes":[{"labels":{"a":1}}]})", "nodes[0].labels.a"},
      {R"({"nodes":[{"headers":{"x":1}}]})", "nodes[0].headers.x"},
      {R"({"nodes":[{"tls":true}]})", "nodes[0].tls"},
      {R"({"models":[{"weights":{"a":-1}}]})", "models[0].weights.a"},
      {R"({"models":[{"weights":{"a":"1"}}]})", "models[0].weights.a"},
      {R"({"models":[{"default_params":[]}]})", "models[0].default_params"},
      {R"({"models":[{"reasoning_config":true}]})", "models[0].reasoning_config"},
      {R"({"models":[{"transforms":{"system_prompt_prefix":1}}]})",
       "models[0].transforms.system_prompt_prefix"},
      {R"({"models":[{"transforms":{"system_prompt":""}}]})", "models[0].transforms.system_prompt"},
  }));
  CAPTURE(json);
  const Error error = refused(json);
  CHECK(error.param == key);
  CHECK(error.message.find("c.json:1: key \"" + key + "\": ") == 0);
}

TEST_CASE("what is said of a wrong value helps to mend it", "[config]") {
  CHECK(message(R"({"breaker":{"mode":"rejct"}})") ==
        R"(c.json:1: key "breaker.mode": "rejct" is none of its words; nearest: "reject")");
  CHECK(message(R"({"router":{"max_retries":-1}})") ==
        R"(c.json:1: key "router.max_retries": -1 is out of range; the least is 0)");
  CHECK(message(R"({"router":{"backoff":"x"}})").find("\"250ms\"") != std::string::npos);
  CHECK(message(R"({"router":{"max_event":"x"}})").find("\"64KB\"") != std::string::npos);
}

TEST_CASE("a number past the largest is said to be too large", "[config]") {
  CHECK(
      message(R"({"router":{"max_retries":3000000000}})") ==
      R"(c.json:1: key "router.max_retries": 3000000000 is out of range; the most is 2147483647)");
}

TEST_CASE("of several faults the first one is told", "[config]") {
  CHECK(refused(R"({"router":{"seed":-1,"backoff":"x"},"x":1})").param == "router.backoff");
}

TEST_CASE("what is no JSON is refused, and so is what is no object", "[config]") {
  for (const std::string json : {"", "{", "nodes: []", "{} {}", "{\"router\":{}", "\xFF"}) {
    CHECK(message(json).find("c.json: not valid JSON: ") == 0);
  }
  for (const std::string json : {"[]", "7", "null", "\"x\""}) {
    CHECK(message(json).find("must be a table of keys") != std::string::npos);
  }
}

TEST_CASE("a byte order mark does not hide the lines of a configuration", "[config]") {
  const std::string mark = "\xEF\xBB\xBF";
  CHECK(Config::from_json(mark + "{}"));
  CHECK(message(mark + "{\n\n\"x\": 1}").find("c.json:3: ") == 0);
}
