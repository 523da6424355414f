# fraudtop demo at a terminal: alive at once, a case reviewed, nothing left behind, whatever ends it.
. "$FT_SOURCE/tests/services.sh"
. "$FT_SOURCE/tests/tui/screen.sh"
need jq

server() { head -n 1 "$XDG_STATE_HOME/fraudtop/postgres/cluster/postmaster.pid"; }
stored() { picture demo | sed -n 's/.*newest first: [0-9,]* of \([0-9,]*\) .*/\1/p' | tr -d ,; }
more_than() { [ "$(stored)" -gt "$1" ]; }
gone() { ! kill -0 "$1" 2>/dev/null; }
entries() { "$FRAUDTOP" cases log --json 2>/dev/null | jq -r '[.entries[] | select(.part == "case") | .text] | join("; ")'; }

command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || skip "no PostgreSQL server programs"
console demo 100x30 demo --rate 500 --as ana
shows demo 30 'DEMO.* ana ' # at once, before log and database
shows demo 90 'kafka embedded +pg embedded'
shows demo 60 'flagged, newest first: [1-9]'
before=$(stored)
within 20 more_than "$before" || { look demo; fail "the figures stand still"; }
shows demo 20 'tx/s +replayed [0-9]+ +scored [1-9][0-9]+ +stored [1-9]'
shows demo 20 'label precision [01]\.'

# a case: opened, its reasons add up, decided, the decision taken back
types demo 2
shows demo 20 'review queue: open'
shows demo 20 '^>'
types demo Enter
shows demo 20 'why: base .*raw score .* exact'
types demo d
shows demo 10 'f fraud +l legitimate'
types demo f
shows demo 10 'reason +1 card stolen'
types demo 1
shows demo 10 'note \(Enter to save'
types demo -l 'holder confirms'
types demo Enter
shows demo 20 'Written: fraud'
[[ $(entries) == *'holder confirms'* ]] || fail "the decision is not in the database: $(entries)"
types demo u
shows demo 10 'undo my last decision'
types demo -l 'wrong row'
types demo Enter
shows demo 20 'Undone: fraud'
[[ $(entries) == 'undo "wrong row"; fraud card stolen "holder confirms"' ]] || fail "entries: $(entries)"
same "who" "$("$FRAUDTOP" cases log --json 2>/dev/null | jq -r '.entries[0].by')" ana

# q asks, because a replay runs here, then everything goes
pid=$(server)
types demo 1
shows demo 10 '\[1 Live\]'
types demo q
shows demo 10 'Quit and stop it'
types demo y
ends demo 30 0
within 30 gone "$pid" || fail "the private server lives on"
[ ! -e "$XDG_STATE_HOME/fraudtop/postgres/cluster/postmaster.pid" ] || fail "the server left its file"
none_left() { ! pgrep -f "$TMP" >/dev/null; }
within 5 none_left || fail "left behind: $(pgrep -af "$TMP")"

# a kill leaves the server no longer than a moment, and what was stored is there
console demo 80x24 demo --rate 500
shows demo 90 'pg embedded'
shows demo 60 'flagged, newest first: [0-9,]+ of [1-9]'
pid=$(server)
kill -KILL "$(process demo)"
within 30 gone "$pid" || fail "the private server survives kill -9"
[[ $(entries) == *'holder confirms'* ]] || fail "lost: $(entries)"
