#!/usr/bin/env bash
# Installs what a fresh Debian 12 machine lacks: the compiler, the libraries; with --tests the tools of the tests, with
# --languages the compilers of the examples in other languages. Quick when all is there.
set -euo pipefail

packages=(
  build-essential cmake ninja-build ccache pkg-config git curl python3 python3-dev python3-venv
  libcurl4-openssl-dev libsimdjson-dev libfmt-dev catch2 libssl-dev libnghttp2-dev openssl
  libboost1.81-dev libtomlplusplus-dev libyaml-cpp-dev libcli11-dev libsqlite3-dev
)
[ "${1:-}" = --tests ] && packages+=(clang-16 clang-format-16 clang-tidy-16 gcovr valgrind libbenchmark-dev abigail-tools)
if [ "${1:-}" = --languages ]; then  # there may be newer ones, from elsewhere
  command -v go >/dev/null || packages+=(golang-go)
  command -v rustc >/dev/null || packages+=(rustc)
  command -v node >/dev/null || packages+=(nodejs)
  command -v npm >/dev/null || packages+=(npm)
fi

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi; }
export DEBIAN_FRONTEND=noninteractive
as_root apt-get update -qq
as_root apt-get install -y -qq --no-install-recommends "${missing[@]}"
