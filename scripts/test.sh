#!/usr/bin/env bash
# Installs, builds and tests everything, one stage after the other; stops at the first that fails.
#   scripts/test.sh                   all stages
#   scripts/test.sh --full            and the longer ones
#   scripts/test.sh --only STAGE...   some stages, for work on them
set -euo pipefail
cd "$(dirname "$0")/.."

stages=(setup format includes abi headers tidy asan coverage fuzz tsan release costs python openai demo)
longer=(kills languages wheel frameworks clang_tests repeat fuzz_long every_failure soak)
known=("${stages[@]}" "${longer[@]}")
results=build/test-results.txt  # the closing lines of the test programs, for the sum at the end

cpp_files() { git ls-files -- '*.cpp' '*.hpp'; }
build() { cmake --preset "$1" >/dev/null && cmake --build "build/$1" --target "${@:2}"; }

# Each test program of a build, as many at a time as there are processors; its closing line says how many cases passed.
# None takes ten minutes. The thread sanitizer is to let tests fork a process that has threads.
run_tests() {
  local bin="build/$1/bin" logs="build/$1/test-logs" names=("${@:2}") name failed=0
  mkdir -p "$logs"
  printf '%s\n' "${names[@]}" | TSAN_OPTIONS=die_after_fork=0 xargs -P "$(nproc)" -I{} \
    sh -c "timeout 600 $bin/{} >$logs/{} 2>&1 || { echo '{} failed'; exit 1; }" || failed=1
  for name in "${names[@]}"; do
    printf -- '-- %s\n' "$name"
    tee -a "$results" <"$logs/$name"
  done
  return "$failed"
}
test_names() { find "build/$1/bin" -name 'test_*' -type f -executable -printf '%f\n' | sort; }

stage_setup() { scripts/setup.sh --tests; }
stage_format() { cpp_files | xargs clang-format-16 --dry-run -Werror; }
stage_includes() { python3 scripts/check_includes.py; }
stage_abi() { python3 scripts/check_abi.py; }

# Each public header is a translation unit of its own, for both compilers.
stage_headers() {
  for compiler in g++ clang++-16; do
    git ls-files -- 'include/*.hpp' | sed 's,^include/,,' | xargs -P "$(nproc)" -I{} sh -c \
      "echo '#include <{}>' | $compiler -std=c++20 -fsyntax-only -Wall -Wextra -Werror -Iinclude -x c++ - || exit 255"
  done
}

# The translation units of the library and of its C interface, which clang so compiles too; what the list checks is in
# .clang-tidy.
stage_tidy() {
  cmake --preset clang -B build/tidy -DLLMROUTE_TESTS=OFF -DLLMROUTE_EXAMPLES=OFF >/dev/null  # each source once
  git ls-files -- 'src/*.cpp' 'capi/*.cpp' | xargs -P "$(nproc)" -n 4 clang-tidy-16 --quiet -p build/tidy 2>&1 |
    { grep -v 'warnings generated' || true; }
}

# Address and undefined sanitizers, and what the tests call. Without optimisation it compiles in half the time, and no
# call is optimised away.
stage_asan() {
  build asan all
  find build/asan -name '*.gcda' -delete
  mapfile -t names < <(test_names asan)
  run_tests asan "${names[@]}"
}

# What was found once: the corpora, in seconds.
stage_fuzz() {
  build asan replay_corpora
  timeout 300 build/asan/bin/replay_corpora tests/fuzz/corpus
}

stage_tsan() {
  build tsan test_core test_net test_router test_capi
  run_tests tsan test_core test_net test_router test_capi
}

# Of the asan stage's run.
stage_coverage() { python3 scripts/check_coverage.py build/asan; }

stage_release() { scripts/build.sh; }

# Beside the floors of bare libcurl: instructions alone, by callgrind.
stage_costs() {
  cmake --preset release -DLLMROUTE_BENCHMARKS=ON >/dev/null && cmake --build build/release
  LLMROUTE_BIN_DIR=$PWD/build/release/bin benchmark/overhead/run.py --gate
}

# An environment below build with the Python package and what else is named.
venv_with() {
  [ -x "build/$1/bin/python" ] || python3 -m venv "build/$1"
  [ $# -eq 1 ] || "build/$1/bin/pip" install -q --disable-pip-version-check "${@:2}"
  "build/$1/bin/pip" install -q --disable-pip-version-check --no-deps --force-reinstall build/python-wheel/*.whl
}

# The package is built once, by the compiler and with the flags of the release build: ccache has most of it.
stage_python() {
  [ -x build/venv/bin/python ] || python3 -m venv build/venv
  build/venv/bin/pip install -q --disable-pip-version-check -r tests/requirements.txt -r bindings/python/tests/requirements.txt
  rm -rf build/python-wheel
  CC=cc CXX=c++ CMAKE_CXX_COMPILER_LAUNCHER=ccache build/venv/bin/pip wheel -q --disable-pip-version-check --no-build-isolation --no-deps \
    -w build/python-wheel -C cmake.define.LLMROUTE_WERROR=ON ./bindings/python
  venv_with venv
  # They wait more than they work: for servers to start, for clocks to strike.
  build/venv/bin/python -m pytest -q -n $(($(nproc) + 1)) --dist loadfile tests 2>&1 | tee -a "$results"
  build/venv/bin/python -m pytest -q bindings/python/tests --ignore-glob='*/openai' --ignore-glob='*/frameworks' 2>&1 | tee -a "$results"
}

frameworks() { "build/$1/bin/python" -m pytest -q bindings/python/tests/frameworks 2>&1 | tee -a "$results"; }

# The drop-in classes over both families of the SDK, and the package's types, which need it; LangChain.
stage_openai() {
  local version
  for version in 2.54.0 3.52.0; do
    venv_with "venv-openai-$version" pytest mypy "openai==$version"
    (cd bindings/python/src && "../../../build/venv-openai-$version/bin/python" -m mypy --strict llmroute)
    "build/venv-openai-$version/bin/python" -m pytest -q bindings/python/tests/openai 2>&1 | tee -a "$results"
  done
  venv_with venv-langchain pytest 'langchain-openai==1.7.3'
  frameworks venv-langchain
}

# What else is built on the SDK. Their pins of it collide, so each has an environment of its own.
stage_frameworks() {
  local package
  for package in llama-index-llms-openai==0.8.3 instructor==1.17.0 'pydantic-ai-slim[openai]==2.68.0' litellm==1.106.2 \
    openai-agents==0.24.0; do
    venv_with "venv-${package%%[[=]*}" pytest "$package"
    frameworks "venv-${package%%[[=]*}"
  done
}

# The store after many a kill -9.
stage_kills() {
  LLMROUTE_KILL_ROUNDS=200 build/venv/bin/python -m pytest -q tests/gateway/test_store_killed.py 2>&1 | tee -a "$results"
}

# The exit code says whether every answer was whole.
stage_demo() { LLMROUTE_BIN_DIR=$PWD/build/release/bin scripts/demo.sh; }

# The examples over the C interface whose compilers are installed for them alone.
stage_languages() {
  scripts/setup.sh --languages
  build/venv/bin/python -m pytest -q tests/examples/languages.py 2>&1 | tee -a "$results"
}

# Builds libcurl and the library once more, as they go into the wheel.
stage_wheel() { scripts/wheel.sh; }

stage_clang_tests() {
  build clang all
  mapfile -t names < <(test_names clang)
  run_tests clang "${names[@]}"
}

# Each target looks for new finds, a minute each; one leaves its input in build/fuzz.
stage_fuzz_long() {
  build fuzz all
  local program name
  for program in build/fuzz/bin/*_fuzz; do
    name=$(basename "$program" _fuzz)
    mkdir -p "build/fuzz/corpus/$name"
    "$program" -max_total_time=60 -max_len=4096 -timeout=10 -print_final_stats=1 -verbosity=0 \
      "-artifact_prefix=build/fuzz/$name-" "build/fuzz/corpus/$name" "tests/fuzz/corpus/$name"
  done
}

# Each failure on a call's way, where the asan stage leaves some out.
stage_every_failure() {
  build asan test_nth_failure
  LLMROUTE_EVERY_FAILURE=1 run_tests asan test_nth_failure
}

# Half an hour of load and faults.
stage_soak() { python3 scripts/soak.py; }

# What threads do differs from run to run.
stage_repeat() {
  build tsan test_core test_net test_router test_capi
  for _ in 1 2 3 4 5; do run_tests tsan test_core test_net test_router test_capi; done
}

# "7 passed, 0 failed" from the closing lines of Catch2 and pytest.
sum_up() {
  [ -f "$results" ] || return 0
  awk '
    match($0, /in [0-9]+ test cases?\)/) { passed += substr($0, RSTART + 3) + 0 }
    /^test cases:/ { for (i = 2; i <= NF; ++i) { if ($i == "passed") passed += $(i - 1); if ($i == "failed") failed += $(i - 1) } }
    / in [0-9.]+s/ { for (i = 2; i <= NF; ++i) { if ($i ~ /^passed/) passed += $(i - 1); if ($i ~ /^(failed|error)/) failed += $(i - 1) } }
    END { printf "%d passed, %d failed\n", passed, failed }' "$results"
}

case "${1:-}" in
  --only) stages=("${@:2}") ;;
  --full) stages+=("${longer[@]}") ;;
  '') ;;
  *) sed -n '2,5s/^# //p' scripts/test.sh >&2; exit 2 ;;
esac
for stage in "${stages[@]}"; do
  declare -F "stage_$stage" >/dev/null || { echo "no stage $stage; there are: ${known[*]}" >&2; exit 2; }
done

mkdir -p build
rm -f "$results"
stage='' began=0
finish() {
  local code=$?
  [ "$code" -eq 0 ] || printf '== %s FAILED after %d s\n' "$stage" $((SECONDS - began))
  sum_up
}
trap finish EXIT
for stage in "${stages[@]}"; do
  began=$SECONDS
  printf '== %s\n' "$stage"
  "stage_$stage"
  printf '== %s: %d s\n' "$stage" $((SECONDS - began))
done
