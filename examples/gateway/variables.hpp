/// The environment variables, and the `.env` file that holds the same: which key each of them sets.
#pragma once

#include <llmroute/result.hpp>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "setting.hpp"

namespace gateway {

/// Name and value of the process's environment, or a test's.
using Environment = std::map<std::string, std::string, std::less<>>;

/// One assignment and where it stands.
struct Assignment {
  std::string name;
  std::string value;
  std::string place;  ///< ".env:3: AUTH_TOKEN", "variable AUTH_TOKEN"
};

/// Those of the process's variables that mean something here. An empty one counts as not set.
Environment process_environment();

std::vector<Assignment> assignments(const Environment& environment);

/// Lines of NAME=VALUE; `export`, quotes and comments as shells and Docker take them. A line that
/// is none of these is an invalid_config error. A name that is nearly one of ours is one, too;
/// other programs' variables are passed over.
llmroute::Result<std::vector<Assignment>> read_dotenv(std::string_view text, std::string_view file);

/// Lays the variables over `setting`. A bad value is an invalid_config error that names the
/// variable.
llmroute::Result<void> apply_variables(const std::vector<Assignment>& variables, Setting& setting);

/// What the variables mean when no file says otherwise: the documented defaults of the `.env` form.
Setting dotenv_defaults();

}  // namespace gateway
