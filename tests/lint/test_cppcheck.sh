# cppcheck finds nothing in src.
. "$(dirname "$0")/lint.sh"
command -v cppcheck >/dev/null || lint_skip 'no cppcheck'
build=${FT_BUILD:?the build folder, set by ctest}
mkdir -p "$build/cppcheck"
# uninitvar takes arrays of functions and pointers to locals for reads (2.10); the compilers and clang-tidy look for that.
# getpw*: asked once, before there are threads.
out=$(files 'src/*.c' | xargs -r cppcheck --quiet --std=c11 --language=c --enable=warning,performance,portability \
    --inline-suppr --cppcheck-build-dir="$build/cppcheck" --suppress=missingIncludeSystem --suppress=uninitvar --suppress=getpwuidCalled \
    --suppress=getpwnamCalled --suppress=preprocessorErrorDirective --suppress=normalCheckLevelMaxBranches \
    --library=posix --template='{file}:{line}: {severity}: {message} [{id}]' -D__GNUC__ '-DcJSON_ArrayForEach(a,b)=for(;;)' -Iinclude -j 2 2>&1 | grep -E '^[^ ]+:[0-9]+:' || true)
[ -z "$out" ] || say "$out"
