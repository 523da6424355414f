# The wall clock set back and forth by hours under running stages, at work and at rest: each row once, nobody falls out of its
# group, latencies are those of the pipeline, SIGTERM ends a stage within 5 s.
# ctest: timeout 300
. "$FT_SOURCE/tests/services.sh"
. "$FT_SOURCE/tests/integration/pipeline.sh"
. "$FT_SOURCE/tests/faults/servers.sh"
need python3
need_kafka
need_postgres
export FT_CLOCK=$TMP/clock
clock() { echo "$1" >"$TMP/clock.new" && mv "$TMP/clock.new" "$FT_CLOCK"; }
clock 0
REAL=$FRAUDTOP
printf '#!/bin/sh\nLD_PRELOAD=%s exec %s "$@"\n' "$FT_BUILD/tests/set_clock.so" "$REAL" >"$TMP/clocked"
chmod +x "$TMP/clocked"
FRAUDTOP=$TMP/clocked
# seen PROGRAM EXPRESSION: a console of this moment says so
seen() {
    "$1" watch --json --count 4 >"$TMP/watch" 2>"$TMP/watch.err" || fail "watch: $(cat "$TMP/watch.err")"
    tail -n 1 "$TMP/watch" | python3 -c 'import json, sys
w = json.loads(sys.stdin.read())
sys.exit(0 if eval(sys.argv[1]) else f"not {sys.argv[1]}: {w}")' "$2" || fail "a console sees it otherwise"
}
MEMBERS='w["processes"]["score"] == 1 and w["processes"]["sink"] == 1'
ROWS=${FT_ROWS:-20000}
made "$ROWS" 19 "$TMP/rows.csv"
three_stages ${FT_SCORE:-}
replay_of "$TMP/rows.csv" 1000
for seconds in -3600 7200 -90000; do
    sleep 1.5
    clock "$seconds"
done
sleep 11 # latencies are those of the last ten seconds
seen "$FRAUDTOP" '0 < w["latency_p50_ms"] < 60000 and w["latency_p99_ms"] < 60000'
clock 0
arrived "$ROWS"

# At rest, for longer than a session lasts; seen by a console on a machine whose clock is right
clock -7200
sleep 9
seen "$REAL" "$MEMBERS"
clock 7200
seen "$REAL" "$MEMBERS"
begin=$(date +%s%N)
replay_of "$TMP/rows.csv" max --limit 500
within 10 has_rows $((ROWS + 500)) || fail "$(rows) rows: nothing comes after the clock was set"
echo "500 rows after $((($(date +%s%N) - begin) / 1000000)) ms"
clock -14400
sleep 2
stopped score
stopped sink
! grep -hiE 'session|unknown member|fenced|made anew|left behind|in time' "$TMP"/score.log "$TMP"/sink.log ||
    fail "somebody fell out of a group, or did not end by itself"
