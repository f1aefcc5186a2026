/// Fields of forms, and forms that could be read in two ways.
#include <catch2/catch.hpp>

#include "gateway/form.hpp"

using gateway::form_field;
using gateway::is_form;

namespace {

constexpr std::string_view type = "multipart/form-data; boundary=xx";

std::string part(const std::string& disposition, const std::string& value) {
  return "--xx\r\nContent-Disposition: form-data; " + disposition +
         "\r\nContent-Type: text/plain\r\n\r\n" + value + "\r\n";
}

std::string model_of(const std::string& body, std::string_view content_type = type) {
  const auto found = form_field(content_type, body, "model");
  return found ? *found : "error " + found.error().param + ": " + found.error().message;
}

}  // namespace

TEST_CASE("what is a form", "[gateway][form]") {
  CHECK(is_form("multipart/form-data; boundary=x"));
  CHECK(is_form("Multipart/Form-Data;boundary=x"));
  CHECK_FALSE(is_form("application/json"));
  CHECK_FALSE(is_form(""));
}

TEST_CASE("a field of a form is found", "[gateway][form]") {
  const std::string file = part("name=\"file\"; filename=\"a;name=model.wav\"", "RI\r\n--xFF\r\n");
  CHECK(model_of(file + part("name=\"model\"", "whisper") + "--xx--\r\n") == "whisper");
  CHECK(model_of(part("name=model", "whisper") + file + "--xx--") == "whisper");
  CHECK(model_of(part("filename=\"model\"; name=\"model\"", "") + "--xx--") == "");
  CHECK(model_of(file + "--xx--\r\n") == "");
  CHECK(model_of("--xx--") == "");
  CHECK(model_of(part("name=\"model\"", "w") + "--xx--",
                 "multipart/form-data; a=b; boundary=\"xx\"") == "w");
}

TEST_CASE("a form that two readers could read in two ways is refused", "[gateway][form]") {
  const std::string model = part("name=\"model\"", "a");
  CHECK_THAT(model_of(model + part("name=\"model\"", "b") + "--xx--"),
             Catch::Contains("given twice"));
  CHECK_THAT(model_of(part("name=\"model\"", std::string(5000, 'a')) + "--xx--"),
             Catch::Contains("too long"));
  for (const std::string& body :
       {std::string(), std::string("x"), model, model + "--xx", "junk\r\n" + model + "--xx--",
        std::string("--xx\r\nContent-Disposition: form-data; name=\"x\"\r\n") + model + "--xx--",
        std::string("--xxContent-Disposition: x\r\n\r\n\r\n--xx--")}) {
    CAPTURE(body);
    CHECK_THAT(model_of(body), Catch::StartsWith("error body"));
  }
  for (const std::string_view content_type :
       {"multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary",
        "multipart/form-data; xboundary=xx", "multipart/form-data; a=\"b"}) {
    CAPTURE(content_type);
    CHECK_THAT(model_of(model + "--xx--", content_type), Catch::StartsWith("error content-type"));
  }
}
