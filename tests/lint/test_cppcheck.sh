# cppcheck finds nothing in src.
. "$(dirname "$0")/lint.sh"
command -v cppcheck >/dev/null || lint_skip 'no cppcheck'
build=${FT_BUILD:?the build folder, set by ctest}
mkdir -p "$build/cppcheck"
# Headers and functions used by others only are no findings; every finding that stays is mended or has a reason in its line.
out=$(files 'src/*.c' | xargs -r cppcheck --quiet --std=c11 --language=c --enable=warning,performance,portability \
    --inline-suppr --cppcheck-build-dir="$build/cppcheck" --suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches \
    --library=posix --template='{file}:{line}: {severity}: {message} [{id}]' -D__GNUC__ -Iinclude -j 2 2>&1 | grep -E '^[^ ]+:[0-9]+:' || true)
[ -z "$out" ] || say "$out"
