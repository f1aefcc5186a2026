#!/usr/bin/env bash
# Installs, builds and tests everything, one stage after the other; stops at the first that fails.
#   scripts/test.sh                   all stages
#   scripts/test.sh --only NAME...    some stages, for work on them
set -euo pipefail
cd "$(dirname "$0")/.."

stages=(setup format includes headers asan tsan clang tidy coverage release python)
if [ "${1:-}" = --only ]; then
  shift
  stages=("$@")
fi

cpp_files() { git ls-files -- '*.cpp' '*.hpp'; }

build_and_test() {  # preset, then the targets and the ctest expression
  cmake --preset "$1" >/dev/null
  cmake --build "build/$1" --target $2
  ctest --test-dir "build/$1" --output-on-failure --no-tests=error -R "$3"
}

stage_setup() { scripts/setup.sh --tests; }
stage_format() { cpp_files | xargs clang-format-16 --dry-run -Werror; }
stage_includes() { python3 scripts/check_includes.py; }

# Each public header is a translation unit of its own, for both compilers.
stage_headers() {
  for compiler in g++ clang++-16; do
    git ls-files -- 'include/*.hpp' | sed 's,^include/,,' | xargs -P "$(nproc)" -I{} sh -c \
      "echo '#include <{}>' | $compiler -std=c++20 -fsyntax-only -Wall -Wextra -Werror -Iinclude -x c++ - || exit 255"
  done
  if git grep -nE '#include *[<\"](curl/|simdjson)' -- include; then
    echo 'public headers include neither libcurl nor simdjson'
    return 1
  fi
}

stage_asan() { build_and_test asan all '.*'; }
stage_tsan() { build_and_test tsan 'test_core test_net test_router' 'test_(core|net|router)$'; }
stage_clang() {
  cmake --preset clang >/dev/null
  cmake --build build/clang --target llmroute
}

# The library's translation units; what the list checks is in .clang-tidy.
stage_tidy() {
  [ -f build/clang/compile_commands.json ] || cmake --preset clang >/dev/null
  git ls-files -- 'src/*.cpp' | xargs -P "$(nproc)" -n 4 clang-tidy-16 --quiet -p build/clang
}

stage_coverage() {
  build_and_test coverage 'test_core test_wire test_net test_router' 'test_(core|wire|net|router)$'
  python3 scripts/check_coverage.py build/coverage
}

stage_release() { scripts/build.sh; }

stage_python() {
  [ -x build/venv/bin/python ] || python3 -m venv build/venv
  build/venv/bin/pip install -q -r tests/requirements.txt
  build/venv/bin/python -m pytest -q tests
}

stage=
trap '[ $? -eq 0 ] || printf "== %s failed\n" "$stage"' EXIT
for stage in "${stages[@]}"; do
  began=$SECONDS
  printf '== %s\n' "$stage"
  "stage_$stage"
  printf '== %s: %d s\n' "$stage" $((SECONDS - began))
done
