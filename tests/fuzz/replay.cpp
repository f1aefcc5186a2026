// Feeds every target the files of its folder below the one given: what was found once stays fixed,
// at the price of a second a run and without a fuzzer.
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "fuzz/fuzz.hpp"

namespace llmroute::fuzz {

namespace {

std::vector<std::pair<std::string, Target>>& targets() {
  static std::vector<std::pair<std::string, Target>> all;
  return all;
}

/// In memory of exactly its size, so that a sanitizer sees the first byte read beyond it.
void feed(Target target, const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  const std::string read{std::istreambuf_iterator<char>(in), {}};
  const auto bytes = std::make_unique<char[]>(read.size());
  std::memcpy(bytes.get(), read.data(), read.size());
  target({bytes.get(), read.size()});
}

}  // namespace

Registered::Registered(const char* name, Target target) { targets().emplace_back(name, target); }

namespace {

/// How many files were fed; 0: a target without a corpus.
int replay(const std::string& name, Target target, const std::filesystem::path& corpus) {
  int count = 0;
  std::error_code missing;
  for (const auto& entry : std::filesystem::directory_iterator(corpus / name, missing)) {
    std::fprintf(stderr, "%s\r", entry.path().c_str());  // the last line before a crash
    feed(target, entry.path());
    ++count;
  }
  std::printf("%s: %d inputs\n", name.c_str(), count);
  return count;
}

}  // namespace

int replay_all(const std::filesystem::path& corpus) {
  int empty = 0;
  for (const auto& [name, target] : targets()) {
    if (replay(name, target, corpus) == 0) ++empty;
  }
  return empty == 0 ? 0 : 1;
}

}  // namespace llmroute::fuzz

int main(int count, char** arguments) {
  if (count != 2) return std::fprintf(stderr, "usage: %s CORPUS\n", arguments[0]), 2;
  return llmroute::fuzz::replay_all(arguments[1]);
}
