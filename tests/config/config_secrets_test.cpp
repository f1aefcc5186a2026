// Secrets of a configuration: variables of the environment, keys, and keys in files.
#include <cstdlib>

#include "config/config_fault.hpp"
#include "support/temporary_file.hpp"

using namespace llmroute;
using namespace llmroute::test;

namespace {

/// An environment variable as long as it is in scope.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) { setenv(name, value, 1); }
  ~Variable() { unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
};

}  // namespace

TEST_CASE("variables of the environment are put in for their names", "[config]") {
  const Variable key("LLMROUTE_TEST_KEY", "k-123");
  const Variable empty("LLMROUTE_TEST_EMPTY", "");
  Config config = with_node("http://a");
  NodeConfig& node = config.nodes[0];
  SECTION("in the key and in headers") {
    node.api_key = "${LLMROUTE_TEST_KEY}";
    node.headers = {{"X-A", "a ${LLMROUTE_TEST_KEY}${LLMROUTE_TEST_EMPTY}-${LLMROUTE_TEST_KEY} b"},
                    {"X-B", "plain $HOME {x} ${unclosed"}};
    REQUIRE(config.prepare());
    CHECK(node.api_key == "k-123");
    CHECK(node.headers.find("X-A") == "a k-123-k-123 b");
    CHECK(node.headers.find("X-B") == "plain $HOME {x} ${unclosed");
    CHECK(node.headers.size() == 2);
  }
  SECTION("one that is not set is a fault") {
    node.api_key = "${LLMROUTE_TEST_KEY}${LLMROUTE_TEST_UNSET}";
    CHECK(fault(config) ==
          "key \"nodes[0].api_key\": the environment variable "
          "LLMROUTE_TEST_UNSET is not set");
    node.api_key.clear();
    node.headers = {{"X-A", "${}"}};
    CHECK(fault_key(config) == "nodes[0].headers.X-A");
  }
  SECTION("only there") {
    node.name = "${LLMROUTE_TEST_KEY}";
    REQUIRE(config.prepare());
    CHECK(node.name == "${LLMROUTE_TEST_KEY}");
  }
}

TEST_CASE("a node's keys", "[config]") {
  const Variable key("LLMROUTE_TEST_KEY", "k-123");
  const Variable empty("LLMROUTE_TEST_EMPTY", "");
  Config config = with_node("http://a");
  NodeConfig& node = config.nodes[0];
  SECTION("are taken from the environment") {
    node.api_key = "one";
    node.api_keys = {"${LLMROUTE_TEST_KEY}", "x${LLMROUTE_TEST_KEY}"};
    REQUIRE(config.prepare());
    REQUIRE(config.prepare());
    CHECK(node.api_keys == std::vector<std::string>{"k-123", "xk-123"});
  }
  SECTION("are not empty") {
    node.api_keys = {"one", "${LLMROUTE_TEST_EMPTY}"};
    CHECK(fault(config) == R"(key "nodes[0].api_keys[1]": is empty)");
  }
  SECTION("are all set") {
    node.api_keys = {"${LLMROUTE_TEST_UNSET}"};
    CHECK(fault_key(config) == "nodes[0].api_keys[0]");
  }
  SECTION("differ") {
    const std::string said = R"(key "nodes[0].api_keys[1]": is the same key as one before it)";
    node.api_keys = {"k-123", "${LLMROUTE_TEST_KEY}"};
    CHECK(fault(config) == said);
    node.api_key = "k-123";
    node.api_keys = {"one", "k-123"};
    CHECK(fault(config) == said);
  }
  SECTION("hold no line break") {
    node.api_keys = {"secret\n"};
    CHECK(fault_key(config) == "nodes[0].api_keys[0]");
  }
  SECTION("are of no use beside a header that is sent instead") {
    node.headers = {{"authorization", "Basic x"}};
    node.api_keys = {"one"};
    CHECK(fault(config) == "ok");
    node.api_keys = {"one", "two"};
    CHECK(fault_key(config) == "nodes[0].api_keys");
  }
}

TEST_CASE("a key may stand in a file", "[config]") {
  Config config = with_node("http://a");
  NodeConfig& node = config.nodes[0];
  SECTION("without the line break at its end") {
    const auto* content = GENERATE("k-123", "k-123\n", "k-123\r\n");
    const TemporaryFile file(content);
    const Variable path("LLMROUTE_TEST_PATH", file.path().c_str());
    node.api_key_file = "${LLMROUTE_TEST_PATH}";
    REQUIRE(config.prepare());
    CHECK(node.api_key == "k-123");
    CHECK(config.prepare());  // once more changes nothing
    CHECK(node.key_count() == 1);
  }
  SECTION("that holds one, and only one") {
    const auto fault_with = [&](const std::string& content) {
      const TemporaryFile file(content);
      node.api_key_file = file.path();
      return fault(config);
    };
    CHECK_THAT(fault_with(""), Catch::EndsWith("is empty"));
    CHECK_THAT(fault_with("secret\nother\n"), Catch::EndsWith("holds more than one line"));
    CHECK_THAT(fault_with(std::string(70000, 'x')), Catch::EndsWith("is too long for a key"));
    node.api_key = "k-123";
    CHECK_THAT(fault_with("secret"), Catch::EndsWith("is given beside api_key; one is enough"));
  }
  SECTION("that can be read") {
    node.api_key_file = "/nowhere/key";
    CHECK(fault(config) ==
          R"(key "nodes[0].api_key_file": the file "/nowhere/key" cannot be read: )"
          "No such file or directory");
    node.api_key_file = "/";
    CHECK(fault_key(config) == "nodes[0].api_key_file");
  }
}

TEST_CASE("line breaks cannot be put into requests", "[config]") {
  const Variable evil("LLMROUTE_TEST_EVIL", "secret\r\nX-Evil: 1");
  Config config = with_node("http://a");
  NodeConfig& node = config.nodes[0];
  SECTION("by a header's value") { node.headers = {{"X-A", "secret\r\nX-Evil: 1"}}; }
  SECTION("by a header's value from the environment") {
    node.headers = {{"X-A", "${LLMROUTE_TEST_EVIL}"}};
  }
  SECTION("by a header's name") { node.headers = {{"X-A: secret\r\nX-Evil", "1"}}; }
  SECTION("by the key") { node.api_key = "secret\n"; }
  SECTION("by the key from the environment") { node.api_key = "${LLMROUTE_TEST_EVIL}"; }
  const std::string said = fault(config);
  CHECK(said.find("nodes[0].") != std::string::npos);
  CHECK(said.find("secret") == std::string::npos);
}
