# Every header can be included alone, and twice.
. "$(dirname "$0")/lint.sh"
cc=${CC:-cc}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"; [ "$bad" = 0 ] || exit 1' EXIT
includes=$(pkg-config --cflags rdkafka libpq libcjson libzstd cmocka 2>/dev/null || true)
while read -r h; do
    case $h in *_table.h) continue ;; esac # contents of an array
    printf '#include "%s"\n#include "%s"\nint ft_nothing;\n' "$PWD/$h" "$PWD/$h" >"$tmp/t.c"
    # shellcheck disable=SC2086
    "$cc" -std=c17 -D_DEFAULT_SOURCE -D_XOPEN_SOURCE=700 -Wall -Wextra -Werror -fsyntax-only -DFT_SOURCE_DIR=\"x\" -Iinclude -Itests $includes "$tmp/t.c" \
        2>"$tmp/log" || say "$h is not self-contained: $(grep -m1 error "$tmp/log")"
done < <(files 'include/*.h' 'src/*.h' tests/ft_test.h)
