# SIGTERM under full load: each stage finishes what it holds, commits, leaves its group and ends within 5 s with 143; whoever comes
# next goes on at once, and nothing is lost.
# ctest: timeout 600
. "$FT_SOURCE/tests/services.sh"
. "$FT_SOURCE/tests/integration/pipeline.sh"
. "$FT_SOURCE/tests/faults/servers.sh"
need python3
need_kafka
need_postgres
ROWS=${FT_ROWS:-120000}
made "$ROWS" 17 "$TMP/rows.csv"
for options in "" --exactly-once; do
    export FRAUDTOP_TOPICS_TRANSACTIONS=$T.t$options FRAUDTOP_TOPICS_SCORING=$T.s$options FRAUDTOP_SCORE_GROUP=$T.g$options FRAUDTOP_SINK_GROUP=$T.k$options
    sql "TRUNCATE fraud_scores" >/dev/null 2>&1 || true
    three_stages $options
    replay_of "$TMP/rows.csv" 6000
    within 60 has_rows 1000 || fail "nothing is stored: $(tail -n 3 "$TMP"/*.log)"
    for _ in 1 2 3 4; do
        sleep "1.$((RANDOM % 10))"
        stopped score
        stopped sink
        member score "$FRAUDTOP" score $options
        member sink "$FRAUDTOP" sink
        stopped replay
        member replay "$FRAUDTOP" replay --resume "$RUN" --rate 6000
    done
    arrived "$ROWS" 180
    [ -z "$options" ] || same_topic_ids "$T.s$options" "$RUN" "$ROWS"
    for name in score sink; do stopped $name; done
done
