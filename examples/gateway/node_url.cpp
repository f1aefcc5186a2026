/// The library judges, this file spells.
#include "node_url.hpp"

#include <algorithm>
#include <llmroute/config.hpp>

namespace gateway {
namespace {

using llmroute::Error;
using llmroute::ErrorCode;
using llmroute::Result;

/// "key \"nodes[0].url\": " is no name that the caller knows.
Error in_callers_words(const Error& error) {
  const std::size_t colon = error.message.find(": ");
  const std::string what =
      colon == std::string::npos ? error.message : error.message.substr(colon + 2);
  return {.code = ErrorCode::invalid_argument, .message = "url: " + what, .param = "url"};
}

bool ends_in_default_port(std::string_view origin, bool tls) {
  return origin.ends_with(tls ? std::string_view(":443") : std::string_view(":80"));
}

}  // namespace

Result<std::string> node_url(std::string_view url) {
  std::string text(url);
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  const std::size_t scheme = std::min(text.find("://"), text.size());
  const std::size_t path = std::min(text.find('/', std::min(scheme + 3, text.size())), text.size());
  std::transform(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(path), text.begin(),
                 lower);
  llmroute::Config trial{.nodes = {{.url = text}}};
  if (auto checked = trial.prepare(); !checked) return in_callers_words(checked.error());

  std::string origin = text.substr(0, path);
  if (ends_in_default_port(origin, text.starts_with("https"))) origin.resize(origin.rfind(':'));
  std::string rest = text.substr(path);
  while (rest.ends_with('/')) rest.pop_back();
  if (rest == "/v1") rest.clear();
  return origin + rest;
}

}  // namespace gateway
