#pragma once
#include <optional>
#include <string>
#include <vector>
namespace llmroute::wire {
std::optional<std::vector<std::string>> read_model_list(std::string_view body);
}
