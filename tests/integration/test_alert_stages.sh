# Somebody is told when a stage is gone and when a lag grows: the first by alert.command at once, all by the table, with begin and
# end.
. "$FT_SOURCE/tests/services.sh"
. "$FT_SOURCE/tests/integration/pipeline.sh"
need_kafka
need_postgres
export FRAUDTOP_KAFKA_SESSION_TIMEOUT_MS=6000 FRAUDTOP_KAFKA_HEARTBEAT_INTERVAL_MS=1500
mkdir -p "$TMP/config/fraudtop"
cat >"$TMP/config/fraudtop/config" <<EOF
[alert]
command = echo "\$FRAUDTOP_ALERT" >>$TMP/told
lag = 5s
EOF
made 60000 3 rows.csv
member one "$FRAUDTOP" score
member sink "$FRAUDTOP" sink
member replay "$FRAUDTOP" replay rows.csv --rate 300
member watch "$FRAUDTOP" watch --json
within 60 has_rows 500 || fail "nothing is stored: $(tail -n 3 "$TMP"/*.log)"
alerts() { sql "SELECT count(*) FROM fraudtop_alerts WHERE kind = '$1' AND ended_at IS $2"; }
on() { [ "$(alerts "$1" NULL)" = 1 ]; }
over() { [ "$(alerts "$1" 'NOT NULL')" = 1 ] && [ "$(alerts "$1" NULL)" = 0 ]; }
everything() { sql 'SELECT at, ended_at, kind, message FROM fraudtop_alerts'; cat "$TMP/told"; }
says() { [ "$(sql "SELECT count(*) FROM fraudtop_alerts WHERE message ~ '$1'")" -gt 0 ]; }
within 60 grep -q '"score":1,"sink":1' "$TMP/watch.log" || fail "watch hears nobody: $(tail -n 1 "$TMP/watch.log")"
same "alerts while all is well" "$(everything 2>/dev/null)" ""

killed one
within 40 on score_down || fail "nobody was told of the scorer: $(everything)"
grep -q 'no scorer lives; there were 1' "$TMP/told" || fail "told: $(cat "$TMP/told")"
within 60 on lag || fail "nobody was told of the lag: $(everything)"
says 'the lag at the scorer grows: [0-9]+ wait' || fail "alerts: $(everything)"
same "alerts of the sink" "$(alerts sink_down NULL)" 0

member one "$FRAUDTOP" score
within 40 over score_down || fail "the scorer is back: $(everything)"
within 60 over lag || fail "the lag is gone: $(everything)"
killed sink
within 40 on sink_down || fail "nobody was told of the sink: $(everything)"
says 'no sink lives; there were 1' || fail "alerts: $(everything)"
member sink "$FRAUDTOP" sink
within 40 over sink_down || fail "the sink is back: $(everything)"
