# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# shellcheck disable=SC2154  # here, cache and self are machine's
#
# Made things live in $cache/NAME-KEY, where KEY is a hash of all that they are made from: the text of the function that
# makes them, the files it reads, and the keys of other made things that go into them. So nothing is ever out of date, there
# is no "make clean" to remember, and two checkouts with different recipes share a cache without harm. A thing gets its
# final name only when it is whole.

# The directory of a made thing, by name.
declare -A product

# key_of FUNCTION INPUT...: an INPUT that is a path stands for the content of the file, or of all files under it.
key_of() {
        local function=$1 input
        shift
        {
                declare -f "$function"
                for input; do
                        if [[ -e $input ]]; then
                                # The mode is part of it: a script that lost its x bit is another script.
                                find "$input" -type f -printf '%P %m\n' | sort
                                find "$input" -type f -print0 | sort -z | xargs -0 cat
                                find "$input" -type l -printf '%P %l\n' | sort
                        else
                                printf '%s\n' "$input"
                        fi
                done
        } | sha256sum | cut -c1-16
}

# provide NAME INPUT...: has make_NAME make it, if it is not there; sets product[NAME]. make_NAME is called with the
# directory to fill.
provide() {
        local name=$1 key dir
        shift
        key=$(key_of "make_$name" "$@")
        dir=$cache/$name-$key
        product[$name]=$dir
        if [[ -d $dir ]]; then
                # For forget_old: when it was last of use.
                [[ ! -w $dir ]] || touch "$dir"
                return 0
        fi

        ((EUID == 0)) || die "$name is not in the cache, and making it needs root: run '$self build' as root once"
        mkdir -p "$cache"
        lock_cache
        # Somebody else may have made it while we waited.
        [[ -d $dir ]] || make_product "$name" "$dir"
}

# make_product NAME DIR
make_product() {
        local name=$1 dir=$2 tmp status
        local started=$SECONDS
        say "making $name ..."
        tmp=$(mktemp -d "$cache/.$name-XXXXXX")
        chmod 755 "$tmp"
        # In a process of its own, with a log: on failure the log is all that one wants to see, on success nothing of it.
        # And not in an if, where bash would ignore a failing command inside.
        set +e
        (
                set -euo pipefail
                "make_$name" "$tmp"
        ) >"$cache/$name.log" 2>&1
        status=$?
        set -e
        if ((status)); then
                tail -n 40 -- "$cache/$name.log" >&2
                rm -rf -- "$tmp"
                die "could not make $name; the whole log is $cache/$name.log"
        fi
        mv -T -- "$tmp" "$dir"
        say "made $name in $((SECONDS - started)) s"
        forget_old "$name"
}

# A machine that runs right now has its files open and does not mind their removal; a week is for switching branches.
forget_old() {
        local name=$1
        find "$cache" -mindepth 1 -maxdepth 1 -type d -name "$name-*" ! -path "${product[$name]}" -mtime +7 \
                -exec rm -rf -- {} +
        find "$cache" -mindepth 1 -maxdepth 1 -type d -name ".$name-*" -mtime +1 -exec rm -rf -- {} +
}

# Two builds at once would do everything twice, and fight over the processors. Held until all is made.
lock_cache() {
        [[ -z ${cache_lock-} ]] || return 0
        exec {cache_lock}>"$cache/lock"
        if ! flock -n "$cache_lock"; then
                say "another build is under way, waiting for it"
                flock "$cache_lock"
        fi
}

unlock_cache() {
        [[ -n ${cache_lock-} ]] || return 0
        exec {cache_lock}>&-
        unset cache_lock
}
