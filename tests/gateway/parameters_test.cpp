/// Values with parameters, and those that two readers could read in two ways.
#include "gateway/parameters.hpp"

#include <catch2/catch.hpp>
#include <string>

using gateway::read_parameters;

namespace {

/// "word name=value name=value", or "none".
std::string spelled_out(std::string_view field) {
  const auto parameters = read_parameters(field);
  if (!parameters) return "none";
  std::string text(parameters->word);
  for (const auto& [name, value] : parameters->list) {
    text += " " + std::string(name) + "=" + std::string(value);
  }
  return text;
}

}  // namespace

TEST_CASE("a value with parameters", "[gateway][form]") {
  CHECK(spelled_out("form-data") == "form-data");
  CHECK(spelled_out("form-data; name=\"a b;c=d\"; filename=x.wav") ==
        "form-data name=a b;c=d filename=x.wav");
  CHECK(spelled_out("multipart/form-data;boundary=\"x\"") == "multipart/form-data boundary=x");
  CHECK(spelled_out("a ;\tb=c \t; d=\"\"\t") == "a b=c d=");
  CHECK(spelled_out("a; filename=\"\xC3\xA4\"") == "a filename=\xC3\xA4");
  CHECK(spelled_out("a; filename*=utf-8''%C3%A4.wav; filename=x") ==
        "a filename*=utf-8''%C3%A4.wav filename=x");
  const auto parameters = read_parameters("a; Name=b");
  REQUIRE(parameters);
  CHECK(parameters->find("nAME") == std::string_view("b"));
  CHECK_FALSE(parameters->find("names"));
}

TEST_CASE("backslashes as clients write them", "[gateway][form]") {
  CHECK(spelled_out(R"(a; filename="a%22b\c.wav")") == R"(a filename=a%22b\c.wav)");    // browsers
  CHECK(spelled_out(R"(a; filename="a%22b\\c.wav")") == R"(a filename=a%22b\\c.wav)");  // httpx
  CHECK(spelled_out(R"(a; filename="a\"b\\c.wav")") == R"(a filename=a\"b\\c.wav)");    // Go
  CHECK(spelled_out(R"(a; filename="a\b"; name="x")") == R"(a filename=a\b name=x)");
}

TEST_CASE("a value that two readers could read in two ways is none", "[gateway][form]") {
  for (const std::string field : {"",
                                  "; a=b",
                                  "a;",
                                  "a; ",
                                  "a;; b=c",
                                  "a; b",
                                  "a; b; name=\"model\"",
                                  "a; =b",
                                  "a; b=",
                                  "a; b =c",
                                  "a; b= c",
                                  "a; b=\"c",
                                  "a; b=\"c\"d",
                                  "a; b=\"c\" d=e",
                                  "a b=c",
                                  "a; b=c d",
                                  "a; b=c=d",
                                  "a; b=(c)",
                                  "a; b=<c>",
                                  "a; b=\xC3\xA4",
                                  "a; b=c; b=c",
                                  "a; b=c; B=d",
                                  "a; name*=utf-8''model",
                                  "a; name*0=mo; name*1=del",
                                  "a; filename*0=x",
                                  "a; *=x",
                                  "a; b=\"c\nd\"",
                                  "a; b=\"c\x7F\""}) {
    CAPTURE(field);
    CHECK(spelled_out(field) == "none");
  }
  // Where a text ends whose last quote follows a backslash.
  CHECK(spelled_out(R"(a; filename="x\"; name="model")") == "none");
  CHECK(spelled_out(R"(a; filename="x\\"; name="model")") == "none");
  CHECK(spelled_out(R"(a; filename="x\"; name=model; y=")") == "none");
  CHECK(spelled_out(R"(a; filename="x\")") == "none");
}
