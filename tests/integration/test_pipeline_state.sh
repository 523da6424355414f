# State of customers in the stream: with kills, a hung scorer and rebalances the scores are those of `score FILE`, bit for bit.
# ctest: timeout 300
. "$FT_SOURCE/tests/services.sh"
. "$FT_SOURCE/tests/integration/pipeline.sh"
need python3
need_kafka
need_postgres
cd "$FT_SOURCE"
export FRAUDTOP_KAFKA_SESSION_TIMEOUT_MS=6000 FRAUDTOP_KAFKA_HEARTBEAT_INTERVAL_MS=1500 FRAUDTOP_CONNECT_TIMEOUT=60s
SEED=${FT_SEED:-20260102} ROUNDS=${FT_ROUNDS:-4} ROWS=${FT_ROWS:-15000} RATE=${FT_RATE:-1500}
RANDOM=$SEED
MODEL=(-m velocity) FILE=data/test.csv.gz

offline() {
    exits 0 "$FRAUDTOP" score "$FILE" --limit "$ROWS" "${MODEL[@]}"
    cp "$TMP/out" "$TMP/offline.csv"
}
offline

stream() { # NAME SCORE-OPTIONS...: one run with kills, compared
    local name=$1 i run
    shift
    sql "TRUNCATE fraud_scores" >/dev/null 2>&1 || true
    export FRAUDTOP_TOPICS_TRANSACTIONS=$T.$name.transactions FRAUDTOP_TOPICS_SCORING=$T.$name.scoring FRAUDTOP_SCORE_GROUP=$T.$name
    member one "$FRAUDTOP" score "${MODEL[@]}" "$@"
    member sink "$FRAUDTOP" sink
    : >"$TMP/replay.log"
    member replay "$FRAUDTOP" replay "$FILE" --limit "$ROWS" --rate "$RATE" "${MODEL[@]}"
    within 20 grep -q 'run [0-9a-f]\{12\}-' "$TMP/replay.log" || fail "no run: $(cat "$TMP/replay.log")"
    run=$(grep -om1 'run [0-9a-f]\{12\}-[0-9a-f]\{9\}' "$TMP/replay.log" | cut -d' ' -f2)
    for i in $(seq "$ROUNDS"); do
        sleep "$((RANDOM % 2)).$((RANDOM % 10))"
        case $((RANDOM % 3)) in
        0) killed one; member one "$FRAUDTOP" score "${MODEL[@]}" "$@" ;;
        1) # one more joins, then goes
            member two "$FRAUDTOP" score "${MODEL[@]}" "$@"
            sleep 3
            killed two ;;
        2) # hung beyond its session: somebody else takes over, then it comes back
            member two "$FRAUDTOP" score "${MODEL[@]}" "$@"
            sleep 2
            kill -STOP "${PID[one]}"
            sleep 8
            kill -CONT "${PID[one]}"
            sleep 1
            killed two TERM ;;
        esac
    done
    wait "${PID[replay]}" || fail "replay failed: $(tail -n 3 "$TMP/replay.log")"
    within 150 has_rows "$ROWS" || fail "seed $SEED: $(rows) rows of $ROWS: $(tail -n 5 "$TMP"/*.log)"
    same_scores "$run" "$ROWS" "$TMP/offline.csv"
    killed one TERM
    same "score after SIGTERM" "$ENDED" 143
    killed sink TERM
    echo "$name: seed $SEED, $ROUNDS events: scores as offline"
}
stream plain
stream exactly --exactly-once

# time goes backwards, many rows have the same one, and one customer has a third of all
python3 - "$SEED" >"$TMP/mixed.csv" <<'END'
import csv, gzip, random, sys
random.seed(int(sys.argv[1]))
with gzip.open("data/test.csv.gz", "rt", newline="") as f:
    rows = csv.reader(f)
    head = next(rows)
    rows = [next(rows) for _ in range(6000)]
time = head.index("transaction_time")
for _ in range(3000):
    row = list(rows[0])
    row[time] = random.choice(rows)[time]
    row[head.index("amount")] = f"{random.random() * 900:.2f}"
    rows.append(row)
random.shuffle(rows)
for i in range(0, len(rows) - 3, 7):
    rows[i + 1][time] = rows[i + 2][time] = rows[i][time]
csv.writer(sys.stdout, lineterminator="\n").writerows([head] + rows)
END
FILE=$TMP/mixed.csv ROWS=9000 ROUNDS=2
offline
stream mixed
# history and usual amounts travel with flagged ones
[ "$(sql "SELECT count(*) FROM fraudtop_cases WHERE jsonb_array_length(history) > 0")" -gt 0 ] || fail "no case has history"
