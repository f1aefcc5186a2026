// A model's name within what a node wrote.
#include <catch2/catch.hpp>
#include <llmroute/wire/model_name.hpp>

using llmroute::wire::with_model_name;

TEST_CASE("a name that stands by itself is replaced", "[model_name]") {
  CHECK(with_model_name("The model `org/big-7b` does not exist.", "org/big-7b", "mine") ==
        "The model `mine` does not exist.");
  CHECK(with_model_name(R"({"message":"no \"a\"","param":"a"})", "a", "b") ==
        R"({"message":"no \"b\"","param":"b"})");
  CHECK(with_model_name("a is not a. (a) a", "a", "bb") == "bb is not bb. (bb) bb");
  CHECK(with_model_name("a", "a", "b") == "b");
}

TEST_CASE("a part of another name is left alone", "[model_name]") {
  for (const char* text : {"llama.cpp says so", "xllama", "llama-3", "org/llama", "llama/3",
                           "v1.llama", "llama:8b", "\xC3\xA9llama"}) {
    CAPTURE(text);
    CHECK(with_model_name(text, "llama", "mine") == text);
  }
}

TEST_CASE("names are escaped as the text is", "[model_name]") {
  CHECK(with_model_name(R"(no "a\"b")", "a\"b", "c\\d") == R"(no "c\\d")");
}

TEST_CASE("without a name nothing is replaced", "[model_name]") {
  CHECK(with_model_name("some text", "", "mine") == "some text");
  CHECK(with_model_name("", "a", "mine").empty());
}
