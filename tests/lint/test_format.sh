# The formatter decides (version 14 does; others decide a little differently).
. "$(dirname "$0")/lint.sh"
format=$(command -v clang-format-14 || command -v clang-format || true)
[ -n "$format" ] || lint_skip 'no clang-format'
case $("$format" --version) in *' version 14.'*) ;; *) lint_skip "clang-format is not version 14" ;; esac
hits=$(files '*.c' '*.h' | xargs -r "$format" --dry-run 2>&1 | grep -E 'warning:' | cut -d: -f1 | sort | uniq -c || true)
[ -z "$hits" ] || say "clang-format -i these:"$'\n'"$hits"
