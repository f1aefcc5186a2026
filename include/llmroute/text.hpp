/// Help with misspelt names: what an error message offers instead.
#pragma once

#include <algorithm>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace llmroute {

/// How many letters have to be put in, left out or changed to make `b` of `a` (Levenshtein, 1966).
/// O(a x b).
inline std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

/// The one of `words` that is closest to `word`; empty when there are none.
inline std::string nearest(std::string_view word, std::span<const std::string_view> words) {
  const auto closest = std::min_element(words.begin(), words.end(), [&](auto a, auto b) {
    return edit_distance(word, a) < edit_distance(word, b);
  });
  return closest == words.end() ? std::string{} : std::string(*closest);
}

}  // namespace llmroute
