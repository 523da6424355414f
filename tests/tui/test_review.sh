# The real demo in tmux, as a reviewer uses it: flagged rows come, one is opened, decided, undone, and the log and the command line
# have both entries.  Needs tmux and the PostgreSQL server programs.
set -u
: "${FRAUDTOP:?}" "${FT_SOURCE:?}"
skip() { echo "SKIPPED: $1" >&2; [ "${FT_TEST_REQUIRE:-0}" = 1 ] && exit 1; exit 77; }
command -v tmux >/dev/null || skip 'no tmux'
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || skip 'no PostgreSQL server programs'
[ -r "$FT_SOURCE/data/test.csv.gz" ] || skip 'no sample'
dir=$(mktemp -d)
tm() { tmux -L "fraudtop-$$" -f /dev/null "$@"; }
finish() { tm kill-server 2>/dev/null; rm -rf "$dir"; }
trap finish EXIT
screen() { tm capture-pane -p; }
fail() { echo "FAILED: $1"; screen; exit 1; }
# Waits at most 60 s for a text on the screen: a loaded machine is slow, not wrong.
see() {
    for _ in $(seq 300); do screen | grep -qF -- "$1" && return; sleep 0.2; done
    fail "\"$1\" is not on the screen"
}
keys() { for k in "$@"; do tm send-keys "$k"; sleep 0.2; done; }

chmod 755 "$dir"
tm new -d -x 100 -y 30 "cd '$FT_SOURCE' && XDG_STATE_HOME='$dir' XDG_CONFIG_HOME='$dir' LC_ALL=C.UTF-8 TERM=screen \
    '$FRAUDTOP' demo --rate 300 --as reviewer; echo status \$?; sleep 60"
see 'DEMO'
see 'following'
for _ in $(seq 300); do screen | grep -qE '2 Queue [1-9]' && break; sleep 0.2; done
keys 2
see 'review queue'
keys Enter
see 'exact'
see 'OPEN'
keys d
see 'decide:'
keys f
see 'card stolen'
keys 1
tm send-keys 'seen by a test'
keys Enter
see 'Written: fraud'
keys u
tm send-keys 'was a mistake'
keys Enter
see 'Undone'
keys 6
see 'seen by a test'
see 'was a mistake'
see 'reviewer'
keys 3
see 'at the cursor'
keys '}' ']'
see 'cursor 0.'
keys 5
see 'partitions'
see 'demo '
keys 4
see 'test.csv.gz'
keys p
see 'PAUSED'
keys p Q
screen | grep -qF 'Quit and stop it?' && keys y
see 'status 0'
echo 'reviewed, undone, seen everywhere'
