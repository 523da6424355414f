# What the core libraries ask of the system: memory, text and mathematics; no files, sockets, clock or terminal.
. "$(dirname "$0")/lint.sh"
build=${FT_BUILD:?the build folder, set by ctest}
command -v nm >/dev/null || lint_skip 'no nm'

archives=()
for a in "$build"/src/libftcore.a "$build"/src/libfraudcore.a; do [ ! -e "$a" ] || archives+=("$a"); done
[ ${#archives[@]} -gt 0 ] || say "no core library below $build"
forbidden='open|open64|openat|creat|fopen|fopen64|fdopen|freopen|fread|fwrite|read|write|pread|pwrite|stat|fstat|lstat|mkdir|unlink|rename|remove|opendir|readdir|mmap'
forbidden+='|socket|connect|bind|accept|send|recv|getaddrinfo|poll|select|epoll_.*'
forbidden+='|time|gettimeofday|clock|clock_gettime|nanosleep|usleep|sleep|localtime|localtime_r|mktime'
forbidden+='|isatty|tcgetattr|tcsetattr|ioctl|setlocale|getenv|setenv|signal|sigaction|fork|exec.*|system|exit|_exit'
forbidden+='|printf|puts|putchar|perror|fprintf|vprintf|vfprintf|fputs|fputc|__printf_chk|__fprintf_chk|__vfprintf_chk'
forbidden+='|rand|srand|random|getrandom|strtok|pthread_create|rd_kafka_.*|PQ.*|wprintw|initscr|newterm'
# The two that read a model from a file by name are thin covers over the loaders of bytes (src/core/model/file*.c).
hits=$(nm -A -u "${archives[@]}" 2>/dev/null | grep -vE ':(fc_)?(model_)?file[a-z_]*\.c\.o:' |
    sed -E 's/@.*//' | grep -E "[[:space:]]U[[:space:]]+($forbidden)\$" || true)
[ -z "$hits" ] || say "the core asks for more than memory, text and mathematics:"$'\n'"$hits"
