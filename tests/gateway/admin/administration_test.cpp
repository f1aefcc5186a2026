/// What admin requests do, and when it is in force.
#include "gateway/admin/administration.hpp"

#include <catch2/catch.hpp>
#include <thread>

#include "gateway/admin/admin_fixture.hpp"
#include "gateway/unique.hpp"

using gateway::AdminAnswer;
using gateway::Endpoint;
using gateway_test::Admin;
using gateway_test::TemporaryDirectory;

namespace {

std::vector<gateway::AuditRecord> audit() {
  const auto store = gateway::open_store("sqlite:test.db", gateway::Holding::beside);
  REQUIRE(store);
  return *(*store)->audit();
}

bool holds(const gateway::KeyRing& ring, std::string_view key) {
  return gateway::KeyRing::Reader(ring).get().contains(gateway::sha256(key));
}

}  // namespace

TEST_CASE("every admin row of the route table has its action", "[gateway][admin]") {
  const TemporaryDirectory directory;
  Admin admin;
  for (const gateway::Route& route : gateway::routes()) {
    if (route.access != gateway::Access::admin) continue;
    CAPTURE(route.method, route.path);
    const bool one = route.path.find("{id}") != route.path.npos;
    const AdminAnswer answer = admin.ask(route.endpoint, {"absent", "absent"}, "");
    const bool list = route.method == "GET" && !one;
    CHECK(answer.status == (list ? 200 : one ? 404 : 400));
    if (list) CHECK(answer.body == "[]");
  }
}

TEST_CASE("a model is made, read, changed and taken away", "[gateway][admin]") {
  const TemporaryDirectory directory;
  Admin admin;
  const AdminAnswer made =
      admin.ask(Endpoint::create_model, {}, R"({"name":"llama","model_id":"org/llama",
      "default_params":{"temperature": 0.70},"transforms":{"system_prompt_prefix":"Hi."}})");
  REQUIRE(made.status == 201);
  const std::string id = Admin::text(made, "id");
  CHECK(made.body.find(R"("default_params":{"temperature": 0.70})") != std::string::npos);
  CHECK(admin.running.models.at(0).name == "llama");
  CHECK(admin.ask(Endpoint::read_model, {id}).body == made.body);
  CHECK(admin.ask(Endpoint::list_models).body == "[" + made.body + "]");

  const AdminAnswer changed = admin.ask(Endpoint::change_model, {id}, R"({"active":false})");
  CHECK(changed.status == 200);
  CHECK(Admin::text(changed, "active") == "false");
  CHECK(Admin::text(changed, "model_id") == "org/llama");
  CHECK_FALSE(admin.running.models.at(0).active);

  const AdminAnswer gone = admin.ask(Endpoint::delete_model, {id});
  CHECK(gone.status == 204);
  CHECK(gone.body.empty());
  CHECK(admin.running.models.empty());
  CHECK(admin.ask(Endpoint::read_model, {id}).status == 404);

  const auto log = audit();
  REQUIRE(log.size() == 3);
  CHECK(log[0].action == "model.create");
  CHECK(log[0].after == made.body);
  CHECK(log[1].before == made.body);
  CHECK(log[1].after == changed.body);
  CHECK(log[2].action == "model.delete");
  CHECK_FALSE(log[2].after);
  CHECK(log[2].who == "tester");
  CHECK(log[2].subject == id);
}

TEST_CASE("a model without more than a name", "[gateway][admin]") {
  const TemporaryDirectory directory;
  Admin admin;
  const AdminAnswer made = admin.ask(Endpoint::create_model, {}, R"({"name":"llama"})");
  REQUIRE(made.status == 201);
  CHECK(Admin::text(made, "model_id") == "llama");
  CHECK(Admin::text(made, "active") == "true");
  CHECK(Admin::text(made, "backends") == "[]");
  CHECK(Admin::text(made, "default_params") == "{}");
}

TEST_CASE("backends of a model", "[gateway][admin]") {
  const TemporaryDirectory directory;
  Admin admin;
  const std::string model =
      Admin::text(admin.ask(Endpoint::create_model, {}, R"({"name":"llama"})"), "id");
  const AdminAnswer made =
      admin.ask(Endpoint::add_backend, {model}, R"({"url":"HTTP://GPU-1:8000/v1/","weight":2})");
  REQUIRE(made.status == 201);
  CHECK(Admin::text(made, "url") == "http://gpu-1:8000");
  CHECK(Admin::text(made, "weight") == "2");
  CHECK(admin.running.nodes.at(0).url == "http://gpu-1:8000");
  CHECK(admin.running.models.at(0).weights.at("http://gpu-1:8000") == 2);
  const std::string id = Admin::text(made, "id");

  const AdminAnswer twice =
      admin.ask(Endpoint::add_backend, {model}, R"({"url":"http://gpu-1:8000"})");
  CHECK(twice.status == 409);
  CHECK(Admin::error_param(twice) == "url");
  CHECK(admin.ask(Endpoint::add_backend, {model}, R"({"url":"gpu-1"})").status == 400);
  CHECK(admin.ask(Endpoint::add_backend, {model}, R"({"weight":1})").status == 400);
  CHECK(admin.ask(Endpoint::add_backend, {"absent"}, R"({"url":"http://a"})").status == 404);

  const AdminAnswer changed = admin.ask(Endpoint::change_backend, {model, id}, R"({"weight":0.5})");
  CHECK(changed.status == 200);
  CHECK(Admin::text(changed, "url") == "http://gpu-1:8000");
  CHECK(admin.running.models.at(0).weights.at("http://gpu-1:8000") == 0.5);
  CHECK(admin.ask(Endpoint::change_backend, {model, "absent"}, "{}").status == 404);

  CHECK(admin.ask(Endpoint::delete_backend, {model, id}).status == 204);
  CHECK(admin.running.nodes.empty());
  CHECK(admin.ask(Endpoint::delete_backend, {model, id}).status == 404);
  CHECK(audit().size() == 4);
}

TEST_CASE("names of models are single", "[gateway][admin]") {
  const TemporaryDirectory directory;
  Admin admin(llmroute::Config{.models = {{.name = "filed"}}});
  const std::string first =
      Admin::text(admin.ask(Endpoint::create_model, {}, R"({"name":"a"})"), "id");
  REQUIRE(admin.ask(Endpoint::create_model, {}, R"({"name":"b"})").status == 201);
  for (const char* taken : {"a", "filed"}) {
    CAPTURE(taken);
    const AdminAnswer answer =
        admin.ask(Endpoint::create_model, {}, R"({"name":")" + std::string(taken) + R"("})");
    CHECK(answer.status == 409);
    CHECK(Admin::error_param(answer) == "name");
  }
  CHECK(admin.ask(Endpoint::change_model, {first}, R"({"name":"b"})").status == 409);
  CHECK(admin.ask(Endpoint::change_model, {first}, R"({"name":"filed"})").status == 409);
  CHECK(admin.ask(Endpoint::change_model, {first}, R"({"name":"a"})").status == 200);
}

TEST_CASE("models of the file are shown and cannot be changed", "[gateway][admin]") {
  const TemporaryDirectory directory;
  Admin admin(llmroute::Config{.nodes = {{.name = "n", .url = "http://gpu-1:8000"}},
                               .models = {{.name = "filed", .nodes = {"n"}}}});
  const std::string list = admin.ask(Endpoint::list_models).body;
  const AdminAnswer filed{.body = list.substr(1, list.size() - 2)};
  CHECK(Admin::text(filed, "name") == "filed");
  CHECK(Admin::text(filed, "source") == "llmroute.toml");
  const std::string id = Admin::text(filed, "id");
  CHECK(admin.ask(Endpoint::read_model, {id}).body == filed.body);
  for (const Endpoint endpoint :
       {Endpoint::change_model, Endpoint::delete_model, Endpoint::add_backend,
        Endpoint::change_backend, Endpoint::delete_backend}) {
    const AdminAnswer answer = admin.ask(endpoint, {id, "x"}, "{}");
    CHECK(answer.status == 409);
    CHECK(answer.body.find("llmroute.toml") != std::string::npos);
  }
  REQUIRE(admin.ask(Endpoint::create_model, {}, R"({"name":"stored"})").status == 201);
  const std::string both = admin.ask(Endpoint::list_models).body;
  CHECK(both.find("\"stored\"") < both.find("\"filed\""));
}

TEST_CASE("what the router could not run is not stored", "[gateway][admin]") {
  const TemporaryDirectory directory;
  Admin admin;
  const AdminAnswer refused =
      admin.ask(Endpoint::create_model, {}, R"({"name":"a","reasoning_config":{"enabled":"yes"}})");
  CHECK(refused.status == 400);
  CHECK(Admin::error_param(refused).starts_with("reasoning_config"));
  CHECK(
      admin.ask(Endpoint::create_model, {}, R"({"name":"a","transforms":{"system":"x"}})").status ==
      400);
  CHECK(admin.ask(Endpoint::list_models).body == "[]");
  CHECK(audit().empty());
}

TEST_CASE("a key is shown once and is good at once", "[gateway][admin]") {
  const TemporaryDirectory directory;
  Admin admin;
  const AdminAnswer made =
      admin.ask(Endpoint::create_key, {}, R"({"name":"ci","rpm_limit":60,"tpm_limit":null,
      "allowed_models":["llama"],"expires_at":"2030-01-31T12:00:00Z"})");
  REQUIRE(made.status == 201);
  const std::string key = Admin::text(made, "key");
  const AdminAnswer shown{.body = Admin::text(made, "api_key")};
  CHECK(holds(admin.ring, key));
  CHECK(Admin::text(shown, "name") == "ci");
  CHECK(Admin::text(shown, "key_prefix") == key.substr(0, 8));
  CHECK(Admin::text(shown, "active") == "true");
  CHECK(Admin::text(shown, "rpm_limit") == "60");
  CHECK(Admin::text(shown, "tpm_limit") == "null");
  CHECK(Admin::text(shown, "allowed_models") == R"(["llama"])");
  CHECK(Admin::text(shown, "expires_at") == "2030-01-31T12:00:00Z");
  const std::string id = Admin::text(shown, "id");
  CHECK(admin.ask(Endpoint::read_key, {id}).body == shown.body);
  CHECK(admin.ask(Endpoint::list_keys).body == "[" + shown.body + "]");
  CHECK(admin.ask(Endpoint::create_key, {}, R"({"name":"x","active":false})").status == 400);
  CHECK(admin.ask(Endpoint::create_key, {}, "{}").status == 400);

  const AdminAnswer changed =
      admin.ask(Endpoint::change_key, {id}, R"({"rpm_limit":null,"name":"cd"})");
  CHECK(Admin::text(changed, "rpm_limit") == "null");
  CHECK(Admin::text(changed, "allowed_models") == R"(["llama"])");

  CHECK(admin.ask(Endpoint::revoke_key, {id}).status == 204);
  CHECK_FALSE(holds(admin.ring, key));
  CHECK(Admin::text(admin.ask(Endpoint::read_key, {id}), "active") == "false");
  CHECK(admin.ask(Endpoint::revoke_key, {id}).status == 204);

  const auto log = audit();
  REQUIRE(log.size() == 4);
  CHECK(log[2].action == "key.revoke");
  for (const auto& entry : log) {
    CHECK(entry.before.value_or("").find(key) == std::string::npos);
    CHECK(entry.after.value_or("").find(key) == std::string::npos);
    CHECK(entry.after.value_or("").find(gateway::hex_of(gateway::sha256(key))) ==
          std::string::npos);
  }
}

TEST_CASE("key-shaped texts are masked in the audit log", "[gateway][admin]") {
  const TemporaryDirectory directory;
  Admin admin;
  REQUIRE(admin
              .ask(Endpoint::create_model, {},
                   R"({"name":"a","default_params":{"user":"sk-abcdefghijklmnopqrstuvwxyz"}})")
              .status == 201);
  CHECK(audit().at(0).after->find("sk-abcdefghijklmnopqrstuvwxyz") == std::string::npos);
}

TEST_CASE("what was there at the start is in memory", "[gateway][admin]") {
  const TemporaryDirectory directory;
  std::string key;
  {
    Admin admin;
    REQUIRE(admin.ask(Endpoint::create_model, {}, R"({"name":"a"})").status == 201);
    key = Admin::text(admin.ask(Endpoint::create_key, {}, R"({"name":"k"})"), "key");
  }
  const auto opened = gateway::open_for_server("sqlite:test.db");
  REQUIRE(opened);
  CHECK(opened->models.at(0).name == "a");
  CHECK(opened->keys.at(0).hash == gateway::hex_of(gateway::sha256(key)));
  CHECK(opened->revision == 2);
}

TEST_CASE("what others change in the store is seen in time", "[gateway][admin]") {
  const TemporaryDirectory directory;
  Admin admin({}, std::chrono::milliseconds(1));
  const std::string key = gateway::make_key();
  const auto store = gateway::open_store("sqlite:test.db", gateway::Holding::beside);
  REQUIRE(store);
  REQUIRE((*store)->insert(
      gateway::KeyRecord{.id = "k", .hash = gateway::hex_of(gateway::sha256(key))}));
  REQUIRE((*store)->note({.id = "n"}));
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!holds(admin.ring, key) && std::chrono::steady_clock::now() < patience)
    std::this_thread::yield();
  CHECK(holds(admin.ring, key));
}
