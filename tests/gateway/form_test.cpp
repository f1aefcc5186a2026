/// Fields of forms, and forms that could be read in two ways.
#include "gateway/form.hpp"

#include <catch2/catch.hpp>

using gateway::form_field;

namespace {

std::string part_with(const std::string& head, const std::string& value) {
  return "--xx\r\n" + head + "\r\n\r\n" + value + "\r\n";
}

std::string part(const std::string& disposition, const std::string& value) {
  return part_with(
      "Content-Disposition: form-data; " + disposition + "\r\nContent-Type: text/plain", value);
}

std::string model_of(const std::string& body, std::string_view boundary = "xx") {
  const auto found = form_field(boundary, body, "model");
  return found ? *found : "error " + found.error().param + ": " + found.error().message;
}

}  // namespace

TEST_CASE("a field of a form is found", "[gateway][form]") {
  const std::string file = part("name=\"file\"; filename=\"a;name=model.wav\"", "RI\r\n--xFF\r\n");
  CHECK(model_of(file + part("name=\"model\"", "whisper") + "--xx--\r\n") == "whisper");
  CHECK(model_of(part("name=model", "whisper") + file + "--xx--") == "whisper");
  CHECK(model_of(part("filename=\"model\"; name=\"file\"", "x") + "--xx--") == "");
  CHECK(model_of(file + "--xx--\r\n") == "");
  CHECK(model_of("--xx--") == "");
  CHECK(model_of(part("name=\"model\"", "a\r\nb -- --xx\r") + "--xx--\r\n\r\n") ==
        "a\r\nb -- --xx\r");
  CHECK(model_of(part_with("content-disposition:form-data;name=model\r\n"
                           "Content-Transfer-Encoding: 8bit",
                           "m") +
                 "--xx--") == "m");
}

TEST_CASE("forms of real clients are read", "[gateway][form]") {
  const std::string file = GENERATE(
      R"(name="file"; filename="a.wav")", R"(name="file"; filename="ä.wav")",  // all of them
      R"(name="file"; filename="ä%22b\c;x.wav")",              // browsers, node, curl, urllib3
      R"(name="file"; filename="a%22b\\c.wav")",               // httpx, and with it the SDKs
      R"(name="file"; filename="a\"b\\c.wav")",                // Go, curl before 7.81
      R"(name=file; filename=a.wav; filename*=utf-8''a.wav)",  // .NET
      R"(name="file"; filename*=utf-8''%C3%A4.wav)",           // urllib3 before 1.25
      R"(name="timestamp_granularities[]")");
  CAPTURE(file);
  CHECK(model_of(part(file, "RIFF\n--\r\n") + part("name=\"model\"", "m") + "--xx--\r\n") == "m");
}

TEST_CASE("a form that two readers could read in two ways is refused", "[gateway][form]") {
  const std::string model = part("name=\"model\"", "a");
  SECTION("for its boundaries") {
    for (const std::string& body :
         {std::string(), std::string("x"), model, model + "--xx", "junk\r\n" + model + "--xx--",
          std::string("--xx\r\nContent-Disposition: form-data; name=\"x\"\r\n") + model + "--xx--",
          std::string("--xxContent-Disposition: x\r\n\r\n\r\n--xx--"), model + "--xx--" + model,
          model + "--xx--x", part("name=\"x\"", "\n--xx\r\n") + model + "--xx--",
          part("name=\"x\"", "a\r--xx--") + model + "--xx--"}) {
      CAPTURE(body);
      CHECK_THAT(model_of(body), Catch::StartsWith("error body"));
    }
    for (const std::string& boundary :
         {std::string(), std::string(71, 'x'), std::string("x x"), std::string("<xx>"),
          std::string("x\\x"), std::string("x\"x")}) {
      CAPTURE(boundary);
      CHECK_THAT(model_of("--" + boundary + "--", boundary),
                 Catch::StartsWith("error content-type"));
    }
  }
  SECTION("for the head of any part") {
    const std::string named = "Content-Disposition: form-data; name=";
    for (const std::string& head :
         {std::string("X: y"), named + "\"x\"\r\n" + named + "\"model\"",
          std::string("Content-Disposition: form-data; a; name=\"model\""),
          std::string("Content-Disposition: form-data; name*=utf-8''model"),
          std::string("Content-Disposition: form-data; name=\"x\"; NAME=\"model\""),
          std::string("Content-Disposition: form-data; filename=\"x\""),
          std::string("Content-Disposition: attachment; name=\"model\""),
          std::string("Content-Disposition:\r\n form-data; name=\"model\""),
          std::string("Content-Disposition : form-data; name=\"model\""),
          named + "\"x\"\r\n ; name=\"model\"", named + "\"x\"\nX: y", named + "\"mo\\del\"",
          named + "\"=?utf-8?Q?model?=\"", named + "\"x\"\r\nContent-Type: Multipart/mixed"}) {
      CAPTURE(head);
      CHECK_THAT(model_of(model + part_with(head, "b") + "--xx--"),
                 Catch::StartsWith("error body"));
    }
    CHECK_THAT(model_of("--xx\r\n\r\nb\r\n--xx--"), Catch::StartsWith("error body"));
  }
  SECTION("for the field") {
    for (const std::string& other :
         {model + model, part("name=\"Model\"", "b"), part("name=\"model\"; filename=\"x\"", "b"),
          part("name=\"model\"; filename*=x", "b"), part("name=\"model\"", std::string(5000, 'a')),
          part_with("Content-Disposition: form-data; name=\"model\"\r\n"
                    "Content-Transfer-Encoding: quoted-printable",
                    "=61"),
          part_with("Content-Disposition: form-data; name=\"model\"\r\n"
                    "Content-Type: text/plain; charset=utf-7",
                    "+AGE-")}) {
      CAPTURE(other);
      CHECK_THAT(model_of(other + "--xx--"), Catch::StartsWith("error model"));
    }
    CHECK_THAT(model_of(part("name=\"_charset_\"", "utf-7") + "--xx--"),
               Catch::StartsWith("error _charset_"));
  }
}
