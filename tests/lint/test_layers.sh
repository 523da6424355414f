# app → ui, backends → core.  ui and backends never see each other; libraries are known to named files only.
. "$(dirname "$0")/lint.sh"

# only LAYER "regex of includes that it must not have" "why"
never() {
    local hits
    hits=$(files "$1" | xargs -r grep -nHE "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]($2)" || true)
    [ -z "$hits" ] || say "$3:"$'\n'"$hits"
}
never 'src/core/*' '(\.\./)*(fraudtop/)?(ui|feed|store|pipeline_run)\.h|\.\./(ui|backends|app)/|app\.h' \
    'core knows nothing of the layers above it'
never 'src/core/*' '(sys/socket|fcntl|unistd|termios|poll|signal|sys/(stat|time|mman|wait|file)|dirent|netdb)\.h' \
    'core does not touch files, sockets, terminal or clock'
never 'src/ui/*' '(\.\./)*(fraudtop/)?(bus|store|pipeline|rows)\.h|\.\./(backends|app)/|app\.h' \
    'ui never sees backends or app'
never 'src/backends/*' '(\.\./)*(fraudtop/)?(ui)\.h|\.\./(ui|app)/|app\.h' 'backends never see ui or app'
never 'include/*' '(ncurses|curses|librdkafka/|libpq|cjson|zstd|zlib)' \
    'headers that cross a layer have no types of other libraries'

# known LIBRARY "regex of its headers" FILE...: nobody else includes them
known() {
    local name=$1 what=$2 f p ok
    shift 2
    while read -r f; do
        ok=''
        # shellcheck disable=SC2254
        for p in "$@"; do case $f in $p) ok=1 ;; esac; done
        [ -n "$ok" ] || say "$f includes $name: only $* may"
    done < <(files 'src/*' 'include/*' | xargs -r grep -lE "^[[:space:]]*#[[:space:]]*include[[:space:]]*<($what)" || true)
}
known threads 'pthread\.h>' 'src/*' include/fraudtop/wait.h
known ncurses '(n?curses|term|ncursesw/.*)\.h>' 'src/ui/term_*.c'
known librdkafka 'librdkafka/' 'src/backends/bus_kafka*'
known libpq 'libpq-fe\.h|libpq/' 'src/backends/pg*' 'src/backends/store*'
