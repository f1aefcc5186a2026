#include "tokenize.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <llmroute/wire/json_text.hpp>

#include "prompt.hpp"
#include "shapes.hpp"
#include "utf8.hpp"

namespace mock {

namespace {

llmroute::Result<Ids> ids_of(simdjson::dom::object request) {
  simdjson::dom::element prompt;
  if (request["prompt"].get(prompt)) return chat_prompt(request);
  llmroute::Result<std::vector<Ids>> text = completion_prompts(prompt);
  if (!text) return text.error();
  return std::move(text->front());
}

}  // namespace

llmroute::Result<std::string> tokenize(std::string_view body) {
  simdjson::dom::parser parser;
  simdjson::dom::object request;
  if (parser.parse(body.data(), body.size()).get_object().get(request)) return missing("prompt");
  const llmroute::Result<Ids> ids = ids_of(request);
  if (!ids) return ids.error();
  return fmt::format(R"({{"count":{},"max_model_len":{},"tokens":{},"token_strs":null}})",
                     ids->size(), max_model_len, json_ids(*ids));
}

llmroute::Result<std::string> detokenize(std::string_view body) {
  simdjson::dom::parser parser;
  simdjson::dom::element tokens;
  if (parser.parse(body.data(), body.size())["tokens"].get(tokens)) return missing("tokens");
  const llmroute::Result<std::vector<Ids>> ids = completion_prompts(tokens);
  if (!ids) return ids.error();
  const std::string text = bytes_of(ids->front());
  return fmt::format(R"({{"prompt":{}}})",
                     llmroute::wire::json_quote(text.substr(0, whole_characters(text))));
}

}  // namespace mock
