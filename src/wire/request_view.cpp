#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <llmroute/wire/request_view.hpp>
#include <utility>

#include "wire/padded.hpp"

namespace llmroute::wire {

namespace {

namespace od = simdjson::ondemand;

Error wrong(std::string_view field, std::string_view what) {
  return {.code = ErrorCode::invalid_argument,
          .message = field.empty() ? std::string(what) : fmt::format("\"{}\": {}", field, what),
          .param = std::string(field)};
}

/// Reads the top-level fields, each at most once.
class RequestReader {
 public:
  explicit RequestReader(const char* base) : base_(base) {}

  std::optional<Error> read(od::object object);
  RequestView view{};

 private:
  std::optional<Error> take(std::string_view key, od::value value);
  std::optional<Error> take_text(std::string_view key, od::value value, std::string& out, Span& at);
  std::optional<Error> take_model(od::value value);
  std::optional<Error> take_stream_options(od::value value);
  Span place(std::string_view token) const {
    while (!token.empty() && (token.back() == ' ' || token.back() == '\n' || token.back() == '\r' ||
                              token.back() == '\t')) {
      token.remove_suffix(1);
    }
    return {static_cast<std::size_t>(token.data() - base_), token.size()};
  }

  const char* base_;
  unsigned seen_ = 0;
};

constexpr std::string_view fields[] = {
    "model", "stream", "stream_options", "max_tokens", "max_completion_tokens", "n", "user"};

std::optional<Error> RequestReader::read(od::object object) {
  for (auto field : object) {
    std::string_view key;
    od::value value;
    if (field.unescaped_key().get(key) || field.value().get(value)) {
      return wrong({}, "the request body is not valid JSON");
    }
    view.empty_object = false;
    const auto known = std::find(std::begin(fields), std::end(fields), key);
    if (known == std::end(fields)) continue;
    const unsigned bit = 1u << (known - std::begin(fields));
    if ((seen_ & bit) != 0) return wrong(*known, "is given twice");
    seen_ |= bit;
    if (std::optional<Error> error = take(*known, value)) return error;
  }
  return std::nullopt;
}

std::optional<Error> RequestReader::take_text(std::string_view key, od::value value,
                                              std::string& out, Span& at) {
  od::json_type type{};
  std::string_view text;
  if (value.type().get(type) || type != od::json_type::string)
    return wrong(key, "must be a string");
  at = place(value.raw_json_token());
  if (value.get_string().get(text)) return wrong(key, "is not a valid JSON string");
  out = text;
  return std::nullopt;
}

std::optional<Error> RequestReader::take_model(od::value value) {
  view.has_model = true;
  std::optional<Error> error = take_text("model", value, view.model, view.model_at);
  if (error || view.model.size() <= longest_model) return error;
  return wrong("model", fmt::format("is longer than {} bytes", longest_model));
}

/// Of two include_usage nodes would take the first or the last: then nobody knows what was asked.
std::optional<Error> RequestReader::take_stream_options(od::value value) {
  od::object options;
  std::string_view json;
  if (value.get_object().get(options)) return wrong("stream_options", "must be an object");
  if (options.raw_json().get(json)) return wrong({}, "the request body is not valid JSON");
  view.stream_options_at = place(json);
  options.reset();
  bool given = false;
  for (auto field : options) {
    std::string_view key;
    od::value wanted;
    if (field.unescaped_key().get(key) || field.value().get(wanted)) {
      return wrong({}, "the request body is not valid JSON");
    }
    if (key != "include_usage") continue;
    if (std::exchange(given, true)) return wrong("stream_options", "has include_usage twice");
    if (wanted.get_bool().get(view.include_usage)) view.include_usage = false;
  }
  return std::nullopt;
}

std::optional<Error> RequestReader::take(std::string_view key, od::value value) {
  od::json_type type{};
  if (value.type().get(type)) return wrong(key, "is not valid JSON");
  if (type == od::json_type::null) {  // not given, but a value to be replaced, not joined by a twin
    const Span here = place(value.raw_json_token());
    if (key == "model") view.model_at = here;
    if (key == "stream") view.stream_at = here;
    if (key == "stream_options") view.stream_options_at = here;
    return std::nullopt;
  }
  Span ignored;
  if (key == "model") return take_model(value);
  if (key == "user") {
    return type == od::json_type::string ? take_text(key, value, view.user, ignored) : std::nullopt;
  }
  if (key == "stream") {
    view.stream_at = place(value.raw_json_token());
    if (value.get_bool().get(view.stream)) return wrong(key, "must be true or false");
    return std::nullopt;
  }
  if (key == "stream_options") return take_stream_options(value);
  std::int64_t number = 0;
  if (value.get_int64().get(number)) return std::nullopt;  // the node judges what it alone reads
  if (key == "n") {
    view.choices = static_cast<int>(std::clamp<std::int64_t>(number, 1, 128));
  } else {
    view.max_tokens = static_cast<std::uint32_t>(
        std::clamp<std::int64_t>(number, 0, std::numeric_limits<std::uint32_t>::max()));
  }
  return std::nullopt;
}

}  // namespace

Result<RequestView> read_request(std::string_view body) {
  const simdjson::padded_string_view text = padded(body);
  od::document document;
  od::object object;
  if (iterate(text).get(document) || document.get_object().get(object)) {
    return wrong({}, "the request body is not a JSON object");
  }
  RequestReader reader(text.data());
  if (std::optional<Error> error = reader.read(object)) return std::move(*error);
  if (!ends_here(document)) return wrong({}, "the request body goes on behind its JSON object");
  reader.view.object_open = body.find('{') + 1;
  return std::move(reader.view);
}

}  // namespace llmroute::wire
