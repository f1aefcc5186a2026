#!/usr/bin/env bash
# A libcurl for the wheel, from Debian's source package: HTTP alone, linked statically, with OpenSSL. Debian's own would bring thirty
# libraries along (LDAP, Kerberos, GnuTLS). nghttp2 stays shared, for Debian's static one is not made for shared libraries. Left in
# build/wheel-curl.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$PWD/build/wheel-curl
[ -f "$folder/lib/libcurl.a" ] && exit 0

# Source packages have a list of their own, so that the machine's stays as it is.
work=$folder/work
rm -rf "$work"
mkdir -p "$work/lists/partial" "$work/sources"
deb822=/etc/apt/sources.list.d/debian.sources one_line=/etc/apt/sources.list  # a machine has the one or the other
[ ! -f "$deb822" ] || sed 's/^Types: deb$/Types: deb-src/' "$deb822" >"$work/sources/debian.sources"
[ ! -f "$one_line" ] || sed -n 's/^deb /deb-src /p' "$one_line" >"$work/sources/debian.list"
options=(-o "Dir::Etc::sourcelist=-" -o "Dir::Etc::sourceparts=$work/sources" -o "Dir::State::lists=$work/lists" -o APT::Sandbox::User=root)
apt-get update -qq "${options[@]}"
(cd "$work" && apt-get source -qq "${options[@]}" curl >"$work/source.log" 2>&1) || { cat "$work/source.log" >&2; exit 1; }

off=(BUILD_CURL_EXE BUILD_SHARED_LIBS BUILD_TESTING CURL_BROTLI CURL_USE_GSSAPI CURL_USE_LIBPSL CURL_USE_LIBSSH2 CURL_ZLIB CURL_ZSTD
  ENABLE_MANUAL USE_LIBIDN2)
on=(CURL_DISABLE_ALTSVC CURL_DISABLE_COOKIES CURL_DISABLE_HSTS CURL_DISABLE_NTLM CURL_USE_OPENSSL HTTP_ONLY OPENSSL_USE_STATIC_LIBS
  USE_NGHTTP2 CMAKE_POSITION_INDEPENDENT_CODE)
cmake -S "$work"/curl-*/ -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX="$folder" \
  -DCMAKE_INSTALL_LIBDIR=lib \
  -DCURL_CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt -DCURL_CA_PATH=/etc/ssl/certs \
  $(printf -- "-D%s=OFF " "${off[@]}") $(printf -- "-D%s=ON " "${on[@]}") >"$work/build.log"
cmake --build "$work/build" --target install >>"$work/build.log"
cp "$work"/curl-*/COPYING "$folder/COPYING"
rm -rf "$work"
