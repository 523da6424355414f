# Somebody is told: alert.command runs once with the reason, the table remembers, and a command that hangs holds up nothing.
. "$FT_SOURCE/tests/services.sh"
need jq
need_postgres
"$FRAUDTOP" cases list >/dev/null # makes the schema
id=aaaaaaaa-0000-4000-8000-00000000f00d
sql "INSERT INTO fraud_scores (transaction_id, score, fraud_flag) VALUES ('$id', 0.9, 1);
     INSERT INTO fraudtop_events (transaction_id, number, kind, note) VALUES ('$id', 1, 'note', 'x');
     UPDATE fraudtop_cases SET scored_at = now() - interval '2 hours'"
mkdir -p "$TMP/config/fraudtop"
cat >"$TMP/config/fraudtop/config" <<EOF
[alert]
command = echo "\$FRAUDTOP_ALERT" >>$TMP/told; echo \$\$ >$TMP/pid; exec sleep 1000
EOF
"$FRAUDTOP" watch --json -b 127.0.0.1:1 >"$TMP/out" 2>"$TMP/err" &
BG+=($!)
pid=$!
within 30 test -s "$TMP/told" || fail "nobody was told: $(cat "$TMP/err")"
row() { sql "SELECT count(*) FROM fraudtop_alerts WHERE kind = '$1' AND ended_at IS NULL AND message <> ''"; }
has_row() { [ "$(row "$1")" = 1 ]; }
within 30 has_row kafka_down || fail "no row of Kafka: $(sql 'SELECT * FROM fraudtop_alerts')"
within 30 has_row over_time || fail "no row of the case: $(sql 'SELECT * FROM fraudtop_alerts')"
grep -qE 'Kafka is down: |1 open over the time limit' "$TMP/told" || fail "told: $(cat "$TMP/told")"

# the command hangs: figures go on, it is not run again, and the end is not held up
n=$(wc -l <"$TMP/out")
more() { [ "$(wc -l <"$TMP/out")" -gt $((n + 2)) ]; }
within 20 more || fail "watch stands still"
same "runs within a minute" "$(wc -l <"$TMP/told")" 1

# what ends is told to the table
sql "INSERT INTO fraudtop_events (transaction_id, number, kind) VALUES ('$id', 2, 'legitimate')"
ended() { [ "$(sql "SELECT count(*) FROM fraudtop_alerts WHERE kind = 'over_time' AND ended_at >= at")" = 1 ]; }
within 30 ended || fail "the case is decided, the alert goes on"
begin=$SECONDS
kill -TERM $pid
wait $pid || same "exit status" $? 143
[ $((SECONDS - begin)) -le 10 ] || fail "it took $((SECONDS - begin)) s to end"
kill "$(cat "$TMP/pid")"
