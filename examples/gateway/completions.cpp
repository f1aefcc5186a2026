/// Each script first finds out which command is being written, then offers what that takes.
#include "completions.hpp"

#include <fmt/format.h>

#include <functional>
#include <iterator>

namespace gateway {
namespace {

/// `what` with the quotes of all three shells around it.
std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out += '\'';
}

/// Calls `use(command, "keys create")` for each, the program itself being "".
void each_command(const CommandHelp& command, const std::string& path,
                  const std::function<void(const CommandHelp&, const std::string&)>& use) {
  use(command, path);
  for (const CommandHelp& inner : command.commands) {
    each_command(inner, path.empty() ? inner.name : fmt::format("{} {}", path, inner.name), use);
  }
}

/// "/keys/create|...": every command as a pattern of `case`.
std::string patterns(const CommandHelp& program) {
  std::string all;
  each_command(program, "", [&](const CommandHelp&, const std::string& path) {
    if (path.empty()) return;
    all += fmt::format("{}{}", all.empty() ? "" : "|", quoted(" " + path));
  });
  return all;
}

/// The flags that take something, as a pattern of `case`: one that matches nothing if there are
/// none.
std::string taking(const CommandHelp& program, Takes what) {
  std::string all;
  each_command(program, "", [&](const CommandHelp& command, const std::string&) {
    for (const FlagHelp& flag : command.flags) {
      const std::string name = quoted(flag.name);
      if (flag.takes == what && all.find(name) == all.npos) {
        all += (all.empty() ? "" : "|") + name;
      }
    }
  });
  return all.empty() ? "''" : all;
}

std::string words_of(const CommandHelp& command) {
  std::string words;
  for (const CommandHelp& inner : command.commands) words += inner.name + ' ';
  for (const std::string& word : command.words) words += word + ' ';
  for (const FlagHelp& flag : command.flags) words += flag.name + ' ';
  return words;
}

std::string bash(const CommandHelp& program) {
  std::string cases;
  each_command(program, "", [&](const CommandHelp& command, const std::string& path) {
    cases += fmt::format("    {}) words={}{} ;;\n", quoted(path.empty() ? "" : " " + path),
                         quoted(words_of(command)), command.takes_file ? " files=1" : "");
  });
  return fmt::format(R"(# bash completion of {0}
_llmroute_gateway() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD - 1]}}
  local command= words= files= word
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    case "$command $word" in {1}) command+=" $word" ;; esac
  done
  COMPREPLY=()
  case $previous in
    {2}) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    {3}) return ;;
  esac
  case $command in
{4}  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current"; [ -z "$files" ] || compgen -f -- "$current")
}}
complete -o filenames -F _llmroute_gateway {0}
)",
                     program.name, patterns(program), taking(program, Takes::file),
                     taking(program, Takes::text), cases);
}

/// "name:help", as _describe takes it.
std::string described(std::string_view name, std::string_view help) {
  std::string escaped;
  for (const char c : name) escaped += c == ':' ? std::string("\\:") : std::string(1, c);
  return ' ' + quoted(fmt::format("{}:{}", escaped, help));
}

std::string zsh(const CommandHelp& program) {
  std::string cases;
  each_command(program, "", [&](const CommandHelp& command, const std::string& path) {
    std::string offers;
    for (const CommandHelp& inner : command.commands) offers += described(inner.name, inner.help);
    for (const std::string& word : command.words) offers += described(word, "");
    for (const FlagHelp& flag : command.flags) offers += described(flag.name, flag.help);
    cases += fmt::format("    ({}) offers=({}){} ;;\n", quoted(path.empty() ? "" : " " + path),
                         offers, command.takes_file ? "; files=1" : "");
  });
  return fmt::format(R"(#compdef {0}
_llmroute_gateway() {{
  local command= files= word
  local -a offers
  for word in "${{(@)words[2,CURRENT-1]}}"; do
    case "$command $word" in {1}) command+=" $word" ;; esac
  done
  case "${{words[CURRENT-1]}}" in
    {2}) _files; return ;;
    {3}) return ;;
  esac
  case "$command" in
{4}  esac
  _describe '{0}' offers
  [[ -z "$files" ]] || _files
}}
if [[ "$funcstack[1]" = _llmroute_gateway ]]; then _llmroute_gateway "$@"; else compdef _llmroute_gateway {0}; fi
)",
                     program.name, patterns(program), taking(program, Takes::file),
                     taking(program, Takes::text), cases);
}

/// Whether `path` is the command being written, for fish: its words are there, and none of those
/// that may follow.
std::string fish_condition(const CommandHelp& command, std::string_view path) {
  std::string condition;
  for (std::size_t begin = 0; begin < path.size();) {
    const std::size_t end = std::min(path.find(' ', begin), path.size());
    condition += fmt::format("{}__fish_seen_subcommand_from {}", condition.empty() ? "" : "; and ",
                             path.substr(begin, end - begin));
    begin = end + 1;
  }
  if (command.commands.empty()) return condition;
  std::string inner;
  for (const CommandHelp& one : command.commands) inner += ' ' + one.name;
  return condition + fmt::format("{}not __fish_seen_subcommand_from{}",
                                 condition.empty() ? "" : "; and ", inner);
}

std::string fish(const CommandHelp& program) {
  std::string out = fmt::format("# fish completion of {0}\ncomplete -c {0} -f\n", program.name);
  each_command(program, "", [&](const CommandHelp& command, const std::string& path) {
    const std::string begin =
        fmt::format("complete -c {} -n {}", program.name, quoted(fish_condition(command, path)));
    const auto to = std::back_inserter(out);
    for (const CommandHelp& inner : command.commands) {
      fmt::format_to(to, "{} -a {} -d {}\n", begin, inner.name, quoted(inner.help));
    }
    for (const std::string& word : command.words) fmt::format_to(to, "{} -a {}\n", begin, word);
    for (const FlagHelp& flag : command.flags) {
      const char* takes = flag.takes == Takes::file ? " -r -F" : " -x";
      fmt::format_to(to, "{} -l {}{} -d {}\n", begin, flag.name.substr(2),
                     flag.takes == Takes::nothing ? "" : takes, quoted(flag.help));
    }
    if (command.takes_file) fmt::format_to(to, "{} -F\n", begin);
  });
  return out;
}

}  // namespace

std::optional<std::string> completion_script(std::string_view shell, const CommandHelp& program) {
  if (shell == "bash") return bash(program);
  if (shell == "zsh") return zsh(program);
  if (shell == "fish") return fish(program);
  return std::nullopt;
}

}  // namespace gateway
