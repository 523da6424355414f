# For tests of the console at a terminal (sourced after tests/services.sh): the program in tmux, on a server of this test
# alone; keys are typed, what stands on the screen is waited for.
#
#   console NAME COLUMNSxROWS WORDS...   starts the program
#   shows NAME SECONDS PATTERN           a line of the screen matches before long
#   hides NAME SECONDS PATTERN           none does any more
#   types NAME KEYS...                   as tmux names them; a text is typed as it stands
#   ends NAME SECONDS STATUS             it ends by itself with this status
#   process NAME                         its number
need tmux
unset TMUX
AT_END+=(close_screens)
printf 'set -g remain-on-exit on\nset -g status off\n' >"$TMP/tmux.conf"
tm() { tmux -L "$T" -f "$TMP/tmux.conf" "$@"; }
close_screens() { tm kill-server 2>/dev/null; }

console() {
    local name=$1 size=$2
    shift 2
    rm -f "$TMP/$name.exit"
    { # its own environment, whatever that of the tmux server is
        export -p | grep -v ' TERM='
        printf '%q ' "$FRAUDTOP" "$@"
        printf '2>>%q\necho $? >%q\n' "$TMP/$name.err" "$TMP/$name.exit"
    } >"$TMP/$name.sh"
    tm new-session -d -s "$name" -x "${size%x*}" -y "${size#*x}" "exec bash $TMP/$name.sh"
}
picture() { tm capture-pane -p -t "$1"; }
sees() { picture "$1" | grep -qE -- "$2"; }
misses() { ! sees "$@"; }
look() { picture "$1" | sed '/^$/d' >&2; cat "$TMP/$1.err" >&2 || true; }
shows() { within "$2" sees "$1" "$3" || { look "$1"; fail "$1 does not show within $2 s: $3"; }; }
hides() { within "$2" misses "$1" "$3" || { look "$1"; fail "$1 still shows after $2 s: $3"; }; }
types() {
    local name=$1
    shift
    tm send-keys -t "$name" "$@"
}
process() { pgrep -oP "$(tm display-message -pt "$1" '#{pane_pid}')" -f "^$FRAUDTOP"; }
ends() {
    within "$2" test -s "$TMP/$1.exit" || { look "$1"; fail "$1 has not ended after $2 s"; }
    same "exit status of $1" "$(cat "$TMP/$1.exit")" "$3"
    tm kill-session -t "$1" 2>/dev/null || true
}
