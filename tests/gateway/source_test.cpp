/// Which file is used, and whose form it has.
#include <catch2/catch.hpp>

#include "forms.hpp"
#include "gateway/expand.hpp"
#include "gateway/source.hpp"

using gateway::find_source;
using gateway::Syntax;
using gateway::syntax_of;
using gateway_test::TemporaryDirectory;
using gateway_test::understood;

TEST_CASE("a file's letters are known by its name, else by its first line", "[gateway][source]") {
  CHECK(syntax_of("a/b.toml", "x: 1") == Syntax::toml);
  CHECK(syntax_of("a.yaml", "[x]") == Syntax::yaml);
  CHECK(syntax_of("a.yml", "") == Syntax::yaml);
  CHECK(syntax_of("a.json", "") == Syntax::yaml);
  CHECK(syntax_of(".env", "") == Syntax::dotenv);
  CHECK(syntax_of("prod.env", "") == Syntax::dotenv);
  CHECK(syntax_of(".env.local", "") == Syntax::dotenv);
  CHECK(syntax_of("conf", "# x: y\n\n[router]\n") == Syntax::toml);
  CHECK(syntax_of("conf", "a = \"b: c\"\n") == Syntax::toml);
  CHECK(syntax_of("conf", "  router:\n") == Syntax::yaml);
  CHECK(syntax_of("conf", "a: b=c\n") == Syntax::yaml);
  CHECK(syntax_of("conf", "{\"nodes\": []}\n") == Syntax::yaml);
  CHECK(syntax_of("conf", "VLLM_NODES=http://a:1\n") == Syntax::dotenv);
  CHECK(syntax_of("conf", "export PORT=1\n") == Syntax::dotenv);
  CHECK(syntax_of("/dev/null", "") == Syntax::dotenv);
}

TEST_CASE("a file's form is known by what is in it", "[gateway][source]") {
  CHECK(understood("servers.toml", "[[nodes]]\nurl = \"http://a:1\"\n").form == "llmroute.toml");
  CHECK(understood("llmroute.toml", "[servers]\nservers = [{ url = \"http://a:1\" }]\n").form ==
        "servers.toml");
  CHECK(understood("gateway.yaml", "providers: [{ url: \"http://a:1\" }]\n").form ==
        "provider YAML");
  CHECK(
      understood("gateway.yaml", "nodes: [{ url: \"http://a:1\" }]\nserver: { port: 1 }\n").form ==
      "YAML");
  CHECK(
      understood("gateway.yaml", "model_list: [{ model_name: a, litellm_params: { model: m } }]\n")
          .form == "LiteLLM");
  for (const char* text : {"database: {}\n", "redis: {}\n", "health_check: {}\n", "registry: {}\n",
                           "rate_limits: {}\n"}) {
    CHECK(understood("x.yaml", text).form == "gateway.yaml");
  }
  CHECK(understood("etc/gateway.yml", "server: { port: 1 }\n").form == "gateway.yaml");
  CHECK(understood("x", "VLLM_NODES=http://a:1\n").form == ".env");
}

TEST_CASE("the usual places are tried in their order", "[gateway][source]") {
  const TemporaryDirectory directory;
  std::filesystem::create_directory("gateway");
  CHECK(find_source("", {}).empty());
  for (const char* name :
       {".env", "gateway/.env", "gateway.yaml", "servers.toml", "llmroute.toml"}) {
    directory.write(name, "");
    CHECK(find_source("", {}) == name);
  }
  CHECK(find_source("", {{"CONFIG_PATH", "c"}}) == "c");
  CHECK(find_source("", {{"CONFIG_PATH", ""}}) == "llmroute.toml");
  CHECK(find_source("f", {{"CONFIG_PATH", "c"}}) == "f");
}

TEST_CASE("a document is read from its file", "[gateway][source]") {
  const TemporaryDirectory directory;
  directory.write("a.toml", "[[nodes]]\nurl = \"http://a:1\"\n");
  const auto document = gateway::read_document("a.toml", {});
  REQUIRE(document.has_value());
  CHECK(document->path == "a.toml");
  CHECK(document->fingerprint == gateway::fingerprint_of("[[nodes]]\nurl = \"http://a:1\"\n"));
  CHECK(document->translated()->find("nodes[0].url") != nullptr);
  CHECK(gateway::read_file("absent").error().message ==
        "absent: cannot be read: No such file or "
        "directory");
  CHECK(gateway::parse_document("", "", {})->form == ".env");
}

TEST_CASE("variables are put into texts", "[gateway][expand]") {
  const gateway::Lookup lookup = gateway::lookup_in({{"A", "1"}, {"B", "${A}"}});
  CHECK(*gateway::expand_variables("x${A}y${B}z", lookup) == "x1y${A}z");
  CHECK(*gateway::expand_variables("$A {A} ${A", lookup) == "$A {A} ${A");
  CHECK(gateway::expand_variables("${LLMROUTE_NOT_SET}", lookup).error().message ==
        "the environment variable LLMROUTE_NOT_SET is not set");
  CHECK(gateway::expand_variables("x${LLMROUTE_NOT_SET}", lookup, true)->size() == 1);
  CHECK(lookup("PATH").has_value());
  CHECK(gateway::environ_name("os.environ/KEY") == "KEY");
  CHECK(gateway::environ_name("KEY").empty());
}
