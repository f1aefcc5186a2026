/// One entry of a model_list: who is asked, for what, and how much of it there is.
#pragma once

#include <llmroute/result.hpp>
#include <string>
#include <string_view>

#include "setting.hpp"

namespace gateway {

struct Deployment {
  std::string model_name{};  ///< what callers ask for
  std::string model_id{};    ///< what the node is asked for
  std::string name{};        ///< model_info.id, or empty
  Setting node{};            ///< url, provider, api_key, ...: keys of a node
  Setting params{};          ///< temperature, ...: default_params of the model; a table
  Setting share{};           ///< weight, rpm, tpm where they are given; a table
  std::string place{};
};

/// `path` is "model_list[3]". A provider that does not speak OpenAI's dialect is an error that
/// names those that do.
llmroute::Result<Deployment> read_deployment(const Setting& entry, const std::string& path);

}  // namespace gateway
