# A replay that was begun on the screen, and the terminal fails: nobody reads it for ten seconds (Ctrl-S, a link that hangs),
# then it is closed.  The replay runs on at its rate meanwhile, what it sent is scored and stored, the rest can be resumed.
# ctest: timeout 240
. "$FT_SOURCE/tests/services.sh"
. "$FT_SOURCE/tests/integration/pipeline.sh"
need python3
need_kafka
need_postgres

made 8000 11 "$TMP/rows.csv"
mkdir "$TMP/files"
mv "$TMP/rows.csv" "$TMP/files"
cd "$TMP/files"
member score "$FRAUDTOP" score -m "$FT_SOURCE/models/seed-004"
member sink "$FRAUDTOP" sink
seat() { env TERM=xterm-256color LC_ALL=C.UTF-8 python3 "$FT_SOURCE/tests/tui/seat.py" 100x30 "$FRAUDTOP" --as ana -m "$FT_SOURCE/models/seed-004"; }
count() { psql -qXAtc 'SELECT count(*) FROM fraud_scores' "$DB" >"$TMP/$1"; }
export -f count
export DB TMP

# the terminal takes nothing for ten seconds, though whole pictures are asked for; then the keys still do what they say
seat <<'END'
wait 60 sink 1
type 4
wait 20 rows.csv
type j
wait 5 >
type \r
wait 10 start
type \x1b[B\x1b[B\x1b[B\x1b[B\r
wait 30 running
type >
wait 10 200
sh sleep 2; count before
type \x13
blind 10 \f
sh count after
type 1
wait 10 following
type 4
wait 10 running
close
end 30 129
END
stored=$(($(cat "$TMP/after") - $(cat "$TMP/before")))
echo "$stored rows stored while nobody read the terminal for ten seconds"
[ "$stored" -ge 1700 ] || fail "$stored rows in ten seconds at 200 a second: the replay waited for the terminal"

# it was closed: what was sent is stored, each row once and without a gap
RUN=$(grep -o 'as run [0-9a-f-]*' "$XDG_STATE_HOME/fraudtop/log" | cut -d' ' -f3)
[ -n "$RUN" ] || fail "no run in the log: $(tail -n 5 "$XDG_STATE_HOME/fraudtop/log")"
sent=$(sed -n 's/.*sent \([0-9]*\).*/\1/p' "$XDG_STATE_HOME/fraudtop/log" | tail -n 1)
last=-1
still() { local n; n=$(rows); [ "$n" = "$last" ] || { last=$n; sleep 1; return 1; }; }
within 60 still || fail "the table never stands still"
same_ids "$RUN" "$last"
[ "$last" -lt 8000 ] || fail "the replay did not stop with its terminal"
kill -0 "${PID[score]}" && kill -0 "${PID[sink]}" || fail "the pipeline ended with the console"
exits 0 "$FRAUDTOP" replay --resume "$RUN" rows.csv
within 60 has_rows 8000 || fail "$(rows) rows after the resumption"
same_ids "$RUN" 8000
