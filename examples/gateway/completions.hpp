/// Scripts that let bash, zsh and fish complete this program's command line.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gateway {

/// What a flag or an argument takes.
enum class Takes { nothing, text, file };

struct FlagHelp {
  std::string name;  ///< "--config"
  std::string help;
  Takes takes = Takes::nothing;
};

/// A command of the program, or the program itself.
struct CommandHelp {
  std::string name;
  std::string help;
  std::vector<FlagHelp> flags{};
  std::vector<CommandHelp> commands{};
  std::vector<std::string> words{};  ///< that it takes without a flag
  bool takes_file = false;           ///< without a flag
};

/// The script; none: `shell` is not one of bash, zsh and fish.
std::optional<std::string> completion_script(std::string_view shell, const CommandHelp& program);

}  // namespace gateway
