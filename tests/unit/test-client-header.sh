#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The installed header, compiled alone and without the project's settings, as its users will: under each standard of C
# from C99 on, and as C++ where there is a compiler for it.

set -eu

: "${srcdir:=$(dirname "$0")/../..}"
: "${CC:=cc}"

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

for language in c c++; do
        cat >"$dir/user.$language" <<'USER'
#include <hsvdpa/client.h>
#include <hsvdpa/client.h>

const char *state_of(const HsvDocument *device);
const char *state_of(const HsvDocument *device) {
        return hsv_value_string(hsv_value_get(hsv_document_root(device), "/status/state"));
}
USER
done

# CC may bring options of its own. Links nothing, so that C++ needs no library either.
check() {
        language=$1
        standard=$2
        # shellcheck disable=SC2086
        $CC -x "$language" -std="$standard" -pedantic-errors -Wall -Wextra -Werror -I"$srcdir/include" -c \
                -o "$dir/user.o" "$dir/user.$language"
        echo "ok: $standard"
}

for standard in c99 c11 gnu11 c17; do
        check c $standard
done

: >"$dir/empty.c++"
# shellcheck disable=SC2086
if $CC -x c++ -c -o "$dir/empty.o" "$dir/empty.c++" 2>/dev/null; then
        for standard in c++11 c++17 c++20; do
                check c++ $standard
        done
        nm "$dir/user.o" | grep -q ' U hsv_value_get$' || {
                echo "not ok: the functions have no C names in C++"
                exit 1
        }
else
        echo "skipped: C++, for which $CC has no compiler"
fi
