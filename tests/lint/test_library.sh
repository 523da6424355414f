# The library as others get it: what it exports and needs, its pkg-config file, the example built against the installed tree.
. "$(dirname "$0")/lint.sh"
build=${FT_BUILD:?the build folder, set by ctest}
command -v pkg-config >/dev/null || lint_skip 'no pkg-config'
lib=$(find "$build/src" -name 'libfraudcore.so.*.*' | head -n 1)
[ -n "$lib" ] || lint_skip 'the shared library is not built'

declared=$(sed -n 's/^FC_API.*\<\(fc_[a-z0-9_]*\)(.*/\1/p' include/fraudcore.h | sort -u)
exported=$(nm -D --defined-only "$lib" | awk '{print $3}' | grep -vE '^(_init|_fini|__asan|__odr_asan|__ubsan|__tsan|__start___|__stop___)' | sort -u)
[ "$declared" = "$exported" ] || say "declared and exported differ:"$'\n'"$(diff <(echo "$declared") <(echo "$exported"))"
readelf -d "$lib" | grep -q 'SONAME.*libfraudcore\.so\.[0-9]*\]' || say "no versioned soname"

if nm -D "$lib" | grep -qE ' (__asan|__ubsan|__tsan|__gcov)'; then
    exit 0 # instrumented: others do not get this one
fi
needed=$(readelf -d "$lib" | sed -n 's/.*(NEEDED).*\[\(lib[a-z-]*\).*/\1/p' | sort | tr '\n' ' ')
for n in $needed; do
    case $n in libc | libm | libcjson) ;; *) say "the library needs $n" ;; esac
done

tmp=$(mktemp -d)
cmake --install "$build" --prefix "$tmp/usr" >"$tmp/log" 2>&1 || { cat "$tmp/log" >&2; say "cmake --install failed"; exit 1; }
pc=$(find "$tmp/usr" -name fraudcore.pc)
export PKG_CONFIG_PATH=${pc%/*}
libs=${pc%/pkgconfig/*}
row='amount=977.01 cat_id=shopping_net hour=23 us_state=NY'
example=$(find "$tmp/usr" -name score_row.c)
[ -n "$example" ] || say "the example is not installed"
want=''
for how in shared static; do
    # shellcheck disable=SC2046
    if [ $how = shared ]; then
        cc -std=c17 -Wall -Wextra -Werror -o "$tmp/$how" "$example" $(pkg-config --cflags --libs fraudcore)
    else
        cc -std=c17 -o "$tmp/$how" "$example" $(pkg-config --cflags fraudcore) "$libs/libfraudcore.a" -lcjson -lm
    fi
    # shellcheck disable=SC2086
    got=$(LD_LIBRARY_PATH=$libs "$tmp/$how" models/seed-004/model.cbm $row)
    [[ $got =~ ^-?[0-9.e-]+\ 0\.[0-9e-]+$ ]] || say "$how example: $got"
    [ -z "$want" ] || [ "$want" = "$got" ] || say "shared and static differ: $want, $got"
    want=$got
done
[ "$(LD_LIBRARY_PATH=$libs "$tmp/shared" tests/data/catboost/reject/core_cut.cbm 2>&1 || true)" ] || say "no error for a cut file"
[ "$(wc -l <examples/score_row.c)" -lt 40 ] || say "the example has 40 lines or more"
rm -rf "$tmp"
