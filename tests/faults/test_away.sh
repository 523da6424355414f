# Kafka away for a minute, PostgreSQL away for a minute, at full speed: memory stays bounded and nothing is lost.
# ctest: timeout 900
. "$FT_SOURCE/tests/services.sh"
. "$FT_SOURCE/tests/integration/pipeline.sh"
. "$FT_SOURCE/tests/faults/servers.sh"
need python3
own_kafka
own_postgres
ROWS=${FT_ROWS:-1500000} AWAY=${FT_AWAY:-60}
made "$ROWS" 11 "$TMP/rows.csv"
three_stages
replay_of "$TMP/rows.csv" max
within 60 has_rows 1 || fail "nothing is stored: $(tail -n 3 "$TMP"/*.log)" # all have come to Kafka
kafka kill9
sleep "$AWAY"
bounded replay 150
[ "$(grep -c 'waiting for Kafka' "$TMP/replay.log")" -le $((AWAY / 10 + 3)) ] || fail "the replay says too often that it waits"
kafka start
sleep 5
pg stop
sleep "$AWAY"
bounded sink 150
pg start
arrived "$ROWS" 300
bounded score 300
bounded sink 150
grep -q 'waiting for PostgreSQL' "$TMP/sink.log" || fail "the sink does not say that it waits"

# a backlog of all rows again: other groups begin at the start of the topics
export FRAUDTOP_SCORE_GROUP=$T.late FRAUDTOP_SINK_GROUP=$T.late-sink
for name in score sink; do killed $name TERM; done
sql "TRUNCATE fraud_scores" >/dev/null
three_stages
within 300 has_rows "$ROWS" || fail "the backlog: $(rows) rows of $ROWS"
bounded score 300
bounded sink 150
