// The models a node lists.
#include <catch2/catch.hpp>
#include <llmroute/wire/model_list.hpp>

#include "wire/captures.hpp"

using llmroute::wire::read_context_length;
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

TEST_CASE("how long a model's context is", "[wire][models]") {
  const std::string list =
      R"({"data":[{"id":"a","max_model_len":1024},{"id":"b"},{"id":"c","max_model_len":99999999999}]})";
  CHECK(read_context_length(list, "a") == 1024);
  CHECK(read_context_length(list, "b") == 0);
  CHECK(read_context_length(list, "c") == 4294967295);
  CHECK(read_context_length(list, "d") == 0);
  CHECK(read_context_length("nonsense", "a") == 0);
}
