# Sourced by the lint scripts: tracked files, and how to complain.
set -euo pipefail
cd "${FT_SOURCE:?the source folder, set by ctest}"
bad=0
say() { echo "$*" >&2; bad=1; }
# files PATTERN...: those that git tracks or would track, else (an unpacked archive) those that are there
files() {
    if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
        git ls-files --cached --others --exclude-standard -- "$@" | while read -r f; do [ ! -f "$f" ] || echo "$f"; done
    else
        find . -path ./build -prune -o -type f -print | sed 's|^\./||' | while read -r f; do
            for p in "$@"; do
                # shellcheck disable=SC2254
                case $f in $p) echo "$f"; break ;; esac
            done
        done
    fi
}
lint_skip() { echo "SKIPPED: $*" >&2; exit 77; }
trap '[ "$bad" = 0 ] || exit 1' EXIT
