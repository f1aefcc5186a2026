/// Records go in and come out the same.
#include "gateway/store/store.hpp"

#include <catch2/catch.hpp>

#include "gateway/temporary_directory.hpp"

using gateway::AuditRecord;
using gateway::BackendRecord;
using gateway::KeyRecord;
using gateway::ModelRecord;
using gateway::Store;

namespace {

std::unique_ptr<Store> opened_store() {
  auto store = gateway::open_store("sqlite:test.db", gateway::Holding::beside);
  REQUIRE(store);
  return std::move(*store);
}

ModelRecord a_model(const std::string& id, const std::string& name) {
  return {.id = id,
          .name = name,
          .model_id = "org/" + name,
          .active = false,
          .default_params = R"({"temperature": 0.70})",
          .reasoning_config = R"({"enabled":true})",
          .transforms = R"({"system_prompt_prefix":"x"})",
          .created_at = 5,
          .updated_at = 6};
}

}  // namespace

TEST_CASE("a model and its backends", "[gateway][store]") {
  const gateway_test::TemporaryDirectory directory;
  const auto store = opened_store();
  const ModelRecord model = a_model("m1", "one");
  REQUIRE(store->insert(model));
  REQUIRE(store->insert(a_model("m2", "two")));
  REQUIRE(store->insert(BackendRecord{.id = "b1",
                                      .model = "m1",
                                      .url = "http://a",
                                      .weight = 2.5,
                                      .active = false,
                                      .created_at = 1}));
  REQUIRE(store->insert(BackendRecord{
      .id = "b0", .model = "m1", .url = "http://b", .created_at = 2, .updated_at = 3}));

  const auto one = store->model("m1");
  REQUIRE(one);
  REQUIRE(*one);
  CHECK((*one)->name == "one");
  CHECK((*one)->model_id == "org/one");
  CHECK_FALSE((*one)->active);
  CHECK((*one)->default_params == model.default_params);
  CHECK((*one)->reasoning_config == model.reasoning_config);
  CHECK((*one)->transforms == model.transforms);
  CHECK((*one)->created_at == 5);
  CHECK((*one)->updated_at == 6);
  REQUIRE((*one)->backends.size() == 2);
  CHECK((*one)->backends[0].id == "b1");
  CHECK((*one)->backends[0].weight == 2.5);
  CHECK_FALSE((*one)->backends[0].active);
  CHECK((*one)->backends[1].url == "http://b");
  CHECK((*one)->backends[1].updated_at == 3);

  const auto all = store->models();
  REQUIRE(all);
  REQUIRE(all->size() == 2);
  CHECK((*all)[0].backends.size() == 2);
  CHECK((*all)[1].backends.empty());
  CHECK_FALSE(*store->model("absent"));
}

TEST_CASE("models and backends change and go", "[gateway][store]") {
  const gateway_test::TemporaryDirectory directory;
  const auto store = opened_store();
  ModelRecord model = a_model("m1", "one");
  REQUIRE(store->insert(model));
  BackendRecord backend{.id = "b1", .model = "m1", .url = "http://a"};
  REQUIRE(store->insert(backend));
  REQUIRE(store->insert(BackendRecord{.id = "b2", .model = "m1", .url = "http://b"}));

  model.name = "uno";
  model.active = true;
  model.transforms = "{}";
  REQUIRE(store->update(model));
  backend.url = "http://c";
  backend.weight = 7;
  REQUIRE(store->update(backend));
  auto read = *store->model("m1");
  CHECK(read->name == "uno");
  CHECK(read->active);
  CHECK(read->transforms == "{}");
  CHECK(read->backends[0].url == "http://c");
  CHECK(read->backends[0].weight == 7);

  REQUIRE(store->remove_backend("b1"));
  CHECK((*store->model("m1"))->backends.size() == 1);
  REQUIRE(store->remove_model("m1"));
  CHECK(store->models()->empty());
  REQUIRE(store->insert(model));
  CHECK((*store->model("m1"))->backends.empty());  // they went with it
}

TEST_CASE("names of models are single, and backends of one model", "[gateway][store]") {
  const gateway_test::TemporaryDirectory directory;
  const auto store = opened_store();
  REQUIRE(store->insert(a_model("m1", "one")));
  const auto twice = store->insert(a_model("m2", "one"));
  REQUIRE_FALSE(twice);
  CHECK(twice.error().code == llmroute::ErrorCode::invalid_argument);
  REQUIRE(store->insert(BackendRecord{.id = "b1", .model = "m1", .url = "http://a"}));
  CHECK_FALSE(store->insert(BackendRecord{.id = "b2", .model = "m1", .url = "http://a"}));
  CHECK_FALSE(store->insert(BackendRecord{.id = "b3", .model = "absent", .url = "http://a"}));
}

TEST_CASE("keys, with and without limits", "[gateway][store]") {
  const gateway_test::TemporaryDirectory directory;
  const auto store = opened_store();
  KeyRecord limited{.id = "k1",
                    .hash = "aa",
                    .prefix = "ml-aaaaa",
                    .name = "ci",
                    .allowed_models = {"a\"b", "c"},
                    .rpm_limit = 0,
                    .tpm_limit = 100,
                    .expires_at = 7,
                    .active = true,
                    .created_at = 1,
                    .updated_at = 2};
  REQUIRE(store->insert(limited));
  REQUIRE(store->insert(KeyRecord{.id = "k2", .hash = "bb", .created_at = 2}));
  const auto keys = store->keys();
  REQUIRE(keys);
  REQUIRE(keys->size() == 2);
  const KeyRecord& read = (*keys)[0];
  CHECK(read.hash == "aa");
  CHECK(read.prefix == "ml-aaaaa");
  CHECK(read.name == "ci");
  CHECK(read.allowed_models == limited.allowed_models);
  CHECK(read.rpm_limit == 0);
  CHECK(read.tpm_limit == 100);
  CHECK(read.expires_at == 7);
  CHECK(read.updated_at == 2);
  const KeyRecord& open = (*keys)[1];
  CHECK(open.allowed_models.empty());
  CHECK_FALSE(open.rpm_limit);
  CHECK_FALSE(open.tpm_limit);
  CHECK_FALSE(open.expires_at);
  CHECK(open.active);

  limited.active = false;
  limited.rpm_limit.reset();
  limited.name = "cd";
  REQUIRE(store->update(limited));
  const auto changed = *store->key("k1");
  CHECK_FALSE(changed->active);
  CHECK_FALSE(changed->rpm_limit);
  CHECK(changed->name == "cd");
  CHECK_FALSE(*store->key("absent"));
}

TEST_CASE("a noted change counts", "[gateway][store]") {
  const gateway_test::TemporaryDirectory directory;
  const auto store = opened_store();
  CHECK(*store->revision() == 0);
  REQUIRE(store->note(
      {.id = "1", .at = 2, .who = "me", .action = "key.create", .subject = "k", .after = "{}"}));
  REQUIRE(store->note(
      {.id = "0", .at = 3, .who = "me", .action = "key.revoke", .subject = "k", .before = "{}"}));
  CHECK(*store->revision() == 2);
  const auto log = store->audit();
  REQUIRE(log);
  REQUIRE(log->size() == 2);
  CHECK((*log)[0].action == "key.create");
  CHECK_FALSE((*log)[0].before);
  CHECK((*log)[0].after == "{}");
  CHECK((*log)[1].subject == "k");
  CHECK((*log)[1].before == "{}");
  CHECK((*log)[1].who == "me");
  CHECK((*log)[1].at == 3);
}

TEST_CASE("what was not committed is not there", "[gateway][store]") {
  const gateway_test::TemporaryDirectory directory;
  const auto store = opened_store();
  {
    auto transaction = store->transaction();
    REQUIRE(transaction);
    REQUIRE(store->insert(a_model("m1", "one")));
    CHECK(store->models()->size() == 1);
  }
  CHECK(store->models()->empty());
}
