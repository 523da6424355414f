# A cluster of three: one broker at a time is killed, hangs or is restarted at moments from a seed, so that leaders and
# coordinators move; topics are replicated, nothing is lost or doubled, scores are those of `score FILE`.
# ctest: timeout 1200
. "$FT_SOURCE/tests/services.sh"
. "$FT_SOURCE/tests/integration/pipeline.sh"
. "$FT_SOURCE/tests/faults/servers.sh"
need java
need python3
need_postgres
SEED=${FT_SEED:-7} ROUNDS=${FT_ROUNDS:-7} ROWS=${FT_ROWS:-60000}
RANDOM=$SEED

KAFKA_CLUSTER_ID=$(head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n' | head -c 22)
export KAFKA_CLUSTER_ID
BASE=$((21000 + RANDOM % 2200 * 4 + $$ % 4))
node() { # N COMMAND: the first is the controller, too
    local set=() port=$((BASE + $1 * 10))
    for s in node.id="$1" controller.quorum.voters=1@127.0.0.1:$((BASE + 11)) default.replication.factor=3 min.insync.replicas=2 \
        offsets.topic.replication.factor=3 transaction.state.log.replication.factor=3 transaction.state.log.min.isr=2; do
        set+=(--set "$s")
    done
    [ "$1" = 1 ] || set+=(--set process.roles=broker --set listeners=PLAINTEXT://127.0.0.1:"$port")
    "$FT_SOURCE/scripts/kafka-server" "$2" --port "$port" --dir "$TMP/kafka$1" --heap 300m --timeout 120 -q "${set[@]}" >>"$TMP/kafka$1.out" 2>&1
}
at_end() { for n in 1 2 3; do node $n resume || true; node $n kill9 || true; done; }
for n in 1 2 3; do node $n start || skip "no Kafka: $(tail -n 1 "$TMP/kafka$n.out")"; done
export FRAUDTOP_BROKERS=127.0.0.1:$((BASE + 10)),127.0.0.1:$((BASE + 20)),127.0.0.1:$((BASE + 30)) FRAUDTOP_TOPICS_REPLICATION=3 FRAUDTOP_CONNECT_TIMEOUT=60s
BROKERS=127.0.0.1:$((BASE + 10))
cd "$FT_SOURCE"
FILE=data/test.csv.gz

one_mode() { # MODEL SCORE-OPTIONS...
    local name=$1${2:-} model=(-m "$1") n events= mode=("${@:2}")
    export FRAUDTOP_TOPICS_TRANSACTIONS=t$name FRAUDTOP_TOPICS_SCORING=s$name FRAUDTOP_SCORE_GROUP=g$name FRAUDTOP_SINK_GROUP=k$name
    exits 0 "$FRAUDTOP" score "$FILE" --limit "$ROWS" "${model[@]}"
    cp "$TMP/out" "$TMP/offline.csv"
    sql "TRUNCATE fraud_scores" >/dev/null 2>&1 || true
    three_stages "${model[@]}" ${mode[@]+"${mode[@]}"}
    replay_of "$FILE" 1000 --limit "$ROWS" "${model[@]}"
    within 60 has_rows 500 || fail "nothing is stored: $(tail -n 3 "$TMP"/*.log)"
    for _ in $(seq "$ROUNDS"); do
        n=$((1 + RANDOM % 3))
        case $((RANDOM % 3)) in
        0) events="$events kill$n"; node $n kill9; sleep "$((RANDOM % 4))"; node $n start ;;
        1) events="$events hang$n"; node $n pause; sleep "$((4 + RANDOM % 6))"; node $n resume ;;
        2) events="$events restart$n"; node $n restart ;;
        esac || fail "broker $n does not come back: $(tail -n 3 "$TMP/kafka$n.out")"
        sleep "$((2 + RANDOM % 3)).$((RANDOM % 10))"
    done
    arrived "$ROWS" 180
    same_scores "$RUN" "$ROWS" "$TMP/offline.csv"
    [ ${#mode[@]} = 0 ] || same_topic_ids "s$name" "$RUN" "$ROWS"
    bounded score 300
    bounded sink 150
    for name in score sink; do stopped $name; done
    echo "seed $SEED: $*:$events: $ROWS rows, each once"
}
one_mode seed-004
one_mode seed-004 --exactly-once
one_mode velocity
