/// Kinds and ranges of fields.
#include "body_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <llmroute/text.hpp>
#include <utility>

namespace gateway {
namespace {

using llmroute::Error;
using llmroute::ErrorCode;
using llmroute::Result;

constexpr std::size_t longest_name = 256;
constexpr std::size_t most_names = 1000;
constexpr std::int64_t highest_limit = 1'000'000'000'000;
constexpr double highest_weight = 1e6;

bool is_name(const std::string& text) {
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  return !text.empty() && text.size() <= longest_name &&
         std::none_of(text.begin(), text.end(), control);
}

}  // namespace

BodyReader::BodyReader(std::string_view body) {
  auto members = gateway::read_object(body);
  if (members) {
    members_ = std::move(*members);
  } else {
    error_ = std::move(members.error());
  }
}

const JsonValue* BodyReader::find(std::string_view name) const {
  const auto found = std::find_if(members_.begin(), members_.end(),
                                  [&](const JsonMember& member) { return member.name == name; });
  return found == members_.end() ? nullptr : &found->value;
}

const JsonValue* BodyReader::take(std::string_view name) {
  taken_.push_back(name);
  return find(name);
}

void BodyReader::refuse(std::string_view name, std::string_view what) {
  if (error_) return;
  error_ = Error{.code = ErrorCode::invalid_argument,
                 .message = fmt::format("\"{}\" {}", name, what),
                 .param = std::string(name)};
}

void BodyReader::require(std::string_view name) {
  if (!has(name)) refuse(name, "is missing");
}

void BodyReader::read_name(std::string_view name, std::string& out) {
  const JsonValue* value = take(name);
  if (value == nullptr) return;
  auto text = value->text();
  if (!text || !is_name(*text)) {
    return refuse(name, fmt::format("must be a text of 1 to {} bytes without control characters",
                                    longest_name));
  }
  out = std::move(*text);
}

void BodyReader::read_text(std::string_view name, std::string& out) {
  const JsonValue* value = take(name);
  if (value == nullptr) return;
  auto text = value->text();
  if (!text && !value->is_null()) return refuse(name, "must be a text");
  out = std::move(text).value_or(std::string());
}

void BodyReader::read(std::string_view name, bool& out) {
  const JsonValue* value = take(name);
  if (value == nullptr) return;
  const auto flag = value->flag();
  if (!flag) return refuse(name, "must be true or false");
  out = *flag;
}

void BodyReader::read_weight(std::string_view name, double& out) {
  const JsonValue* value = take(name);
  if (value == nullptr) return;
  const auto number = value->number();
  if (!number || *number < 0 || *number > highest_weight)
    return refuse(name, fmt::format("must be a number from 0 to {:.0f}", highest_weight));
  out = *number;
}

void BodyReader::read_limit(std::string_view name, std::optional<std::int64_t>& out) {
  const JsonValue* value = take(name);
  if (value == nullptr) return;
  const auto number = value->whole();
  if (!value->is_null() && (!number || *number < 0 || *number > highest_limit)) {
    return refuse(name, fmt::format("must be null or a whole number from 0 to {}", highest_limit));
  }
  out = number;
}

void BodyReader::read_moment(std::string_view name, std::optional<Timestamp>& out) {
  const JsonValue* value = take(name);
  if (value == nullptr) return;
  const auto text = value->text();
  const auto moment = text ? read_timestamp(*text) : std::nullopt;
  if (!value->is_null() && !moment) {
    return refuse(name, "must be null or a time such as \"2030-01-31T12:00:00Z\" (RFC 3339)");
  }
  out = moment;
}

void BodyReader::read_names(std::string_view name, std::vector<std::string>& out) {
  const JsonValue* value = take(name);
  if (value == nullptr) return;
  if (value->is_null()) return out.clear();
  auto texts = value->texts();
  if (!texts || texts->size() > most_names || !std::all_of(texts->begin(), texts->end(), is_name)) {
    return refuse(name, fmt::format("must be null or a list of at most {} names", most_names));
  }
  out = std::move(*texts);
}

void BodyReader::read_object(std::string_view name, std::string& out) {
  const JsonValue* value = take(name);
  if (value == nullptr) return;
  if (!value->is_null() && !value->is_object()) return refuse(name, "must be null or an object");
  out = value->is_null() ? "{}" : value->raw();
}

Result<void> BodyReader::end() {
  for (const JsonMember& member : members_) {
    if (std::find(taken_.begin(), taken_.end(), member.name) != taken_.end()) continue;
    refuse(member.name, fmt::format("is not known here; nearest: \"{}\"",
                                    llmroute::nearest(member.name, taken_)));
  }
  if (error_) return *error_;
  return {};
}

}  // namespace gateway
