/// What a body is, and which model it asks for.
#include "gateway/asked.hpp"

#include <catch2/catch.hpp>

#include "http/head_parser.hpp"

namespace {

http::Request request_for(const std::string& path, const std::string& fields, std::string body) {
  http::Request request;
  http::HeadParser parser({});
  REQUIRE_FALSE(
      parser.read("POST " + path + " HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n", request));
  request.body = std::move(body);
  return request;
}

/// The model, or "error " and the field at fault.
std::string model_asked(const std::string& path, const std::string& fields, std::string body) {
  const auto found = gateway::read_asked(request_for(path, fields, std::move(body)));
  return found ? found->model : "error " + found.error().param;
}

constexpr const char* relayed_path = "/v1/audio/speech";
constexpr const char* routed_path = "/v1/rerank";
const std::string json_body = R"({"model":"m"})";
const std::string form_body =
    "--xx\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nf\r\n--xx--\r\n";

}  // namespace

TEST_CASE("a body is JSON or a form, as its Content-Type says", "[gateway][asked]") {
  for (const char* fields : {"", "Content-Type:\r\n", "Content-Type: application/json\r\n",
                             "Content-Type: Application/JSON; charset=UTF-8\r\n"}) {
    CAPTURE(fields);
    CHECK(model_asked(relayed_path, fields, json_body) == "m");
  }
  for (const char* fields :
       {"Content-Type: multipart/form-data; boundary=xx\r\n",
        "Content-Type: Multipart/Form-Data;charset=utf-8; boundary=\"xx\"\r\n"}) {
    CAPTURE(fields);
    CHECK(model_asked(relayed_path, fields, form_body) == "f");
  }
}

TEST_CASE("a Content-Type under which a node might read something else is refused",
          "[gateway][asked]") {
  for (const std::string type :
       {"application/x-www-form-urlencoded", "text/plain", "application/jsonl", "multipart/mixed",
        "multipart/form-datax; boundary=xx", "multipart/form-data", "json",
        "multipart/form-data; boundary=xx; boundary=yy", "multipart/form-data; boundary*=utf-8''xx",
        "multipart/form-data; boundary=xx; charset=utf-7", "application/json; charset=utf-16",
        "multipart/form-data; boundary", "application/json, multipart/form-data; boundary=xx"}) {
    CAPTURE(type);
    for (const std::string& body : {json_body, form_body}) {
      CHECK(model_asked(relayed_path, "Content-Type: " + type + "\r\n", body) ==
            "error content-type");
    }
  }
}

TEST_CASE("where a model answers with JSON all is JSON", "[gateway][asked]") {
  CHECK(model_asked(routed_path, "Content-Type: text/plain\r\n", json_body) == "m");
  CHECK(model_asked(routed_path, "Content-Type: multipart/form-data; boundary=xx\r\n", form_body) ==
        "error ");
}

TEST_CASE("a model in other letters is refused", "[gateway][asked]") {
  for (const char* path : {relayed_path, routed_path}) {
    CHECK(model_asked(path, "", R"({"model":"m","Model":"other"})") == "error model");
    CHECK(model_asked(path, "", R"({"MODEL":"other"})") == "error model");
    CHECK(model_asked(path, "", R"({"model":"m","x":{"Model":"other"}})") == "m");
  }
}
