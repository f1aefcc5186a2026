// The models a node lists.
#include <catch2/catch.hpp>
#include <llmroute/wire/model_list.hpp>

#include "wire/captures.hpp"

using llmroute::wire::read_model_list;
using Names = std::vector<std::string>;

TEST_CASE("the model lists of real engines are read", "[model_list]") {
  CHECK(read_model_list(llmroute::test::capture("vllm_models")) == Names{"tiny"});
  CHECK(read_model_list(llmroute::test::capture("llamacpp_models")) == Names{"tiny"});
}

TEST_CASE("a model list names each model once in its order", "[model_list]") {
  CHECK(read_model_list(R"({"object":"list","data":[{"id":"b"},{"x":{},"id":"a\/\u00e9"}]})") ==
        Names{"b", "a/\xC3\xA9"});
  CHECK(read_model_list(R"({"data":[]})") == Names{});
}

TEST_CASE("what is no model list is none", "[model_list]") {
  for (const std::string body :
       {"", "[]", "{}", "null", "<html>", "{\"data\":{}}", "{\"data\":null}", "{\"data\":[1]}",
        "{\"data\":[{}]}", "{\"data\":[{\"id\":7}]}", "{\"data\":[{\"id\":\"a\"}",
        "{\"data\":[{\"id\":\"a\"},{\"name\":\"b\"}]}", "{\"error\":{\"message\":\"no\"}}"}) {
    CAPTURE(body);
    CHECK_FALSE(read_model_list(body));
  }
}
