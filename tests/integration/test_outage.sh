# Broker and database restarted, killed and hung while a run goes through: each row once, and every stage waits by itself.
# ctest: timeout 400
. "$FT_SOURCE/tests/services.sh"
. "$FT_SOURCE/tests/integration/pipeline.sh"
. "$FT_SOURCE/tests/faults/servers.sh"
need python3
own_kafka
own_postgres
ROWS=${FT_ROWS:-40000}
made "$ROWS" 7 "$TMP/rows.csv"
three_stages ${FT_SCORE:-}
replay_of "$TMP/rows.csv" 1500

sleep 3
pg stop
sleep 2
pg start
sleep 1
# connections lost at any moment, in COMMIT too
for _ in 1 2 3 4 5 6 7 8; do
    psql -qXc "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = 'fraud'" \
        "$PGBASE dbname=postgres" >/dev/null || true
    sleep 0.$((RANDOM % 10))
done
pg kill9
pg start
kafka pause
sleep 4
kafka resume
sleep 1
kafka kill9
sleep 1
kafka start
sleep 2
kafka restart
arrived "$ROWS"
same "dead letters" "$(sql "SELECT coalesce(sum((detail -> 'counters' ->> 'dead_lettered')::int), 0) FROM fraudtop_processes")" 0
bounded score 300
bounded sink 150

# Kafka away: Ctrl-C ends a replay within 5 s, and it says what was not delivered
kafka stop
: >"$TMP/replay.log"
begin=$SECONDS
member away timeout 60 "$FRAUDTOP" replay "$TMP/rows.csv" --rate max --connect-timeout 30s
sleep 2
killed away INT
[ $((SECONDS - begin)) -le 8 ] || fail "the replay took $((SECONDS - begin)) s to end"
for name in score sink; do
    begin=$SECONDS
    killed $name TERM
    same "$name without Kafka" "$ENDED" 143
    [ $((SECONDS - begin)) -le 6 ] || fail "$name took $((SECONDS - begin)) s to end without Kafka"
done
