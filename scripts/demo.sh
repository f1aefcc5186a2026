#!/usr/bin/env bash
# Installs, builds and shows the product at work: three nodes behind a gateway, one of them killed half-way.
#   scripts/demo.sh              three mock nodes: fast, slow and flaky
#   scripts/demo.sh --real       three real llama.cpp servers with a small random model
#   VLLM_NODES=http://a:8000,http://b:8000 scripts/demo.sh     your own nodes; nothing is killed
# Exit code 0: all answers were whole, and the nodes that failed are named in the table. Logs: build/demo/.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ -z "${LLMROUTE_BIN_DIR:-}" ]; then
  scripts/build.sh
fi
exec python3 scripts/demo "$@"  # it stops what it started, also when it is interrupted
