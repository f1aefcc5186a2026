#!/usr/bin/env bash
# The release build: build/release/bin/llmroute-gateway, build/release/bin/llmroute-mock-node, build/release/lib/libllmroute*.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh
cmake --preset release >/dev/null
cmake --build build/release
