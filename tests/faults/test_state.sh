# Customers' state under everything at once: three scorers that are killed, hang beyond their session and come back, join and
# go, a broker that is restarted and killed; rows that are hard on state: a customer with tens of thousands of transactions, a
# shuffled part, equal times, times that go backwards.  The set of (id, score) in the topic is that of `score FILE`, to the last
# bit, with --exactly-once each id once.  FT_FILE takes other rows.
# ctest: timeout 1500
# ctest: serial
. "$FT_SOURCE/tests/services.sh"
. "$FT_SOURCE/tests/integration/pipeline.sh"
. "$FT_SOURCE/tests/faults/servers.sh"
need python3
[ -n "${FT_KAFKA_PORT:-}" ] || own_kafka
SEED=${FT_SEED:-20260301} ROUNDS=${FT_ROUNDS:-8} RATE=${FT_RATE:-1500} FILE=${FT_FILE:-$TMP/hard.csv}
RANDOM=$SEED
export FRAUDTOP_KAFKA_SESSION_TIMEOUT_MS=6000 FRAUDTOP_KAFKA_HEARTBEAT_INTERVAL_MS=1500
cd "$FT_SOURCE"

[ -n "${FT_FILE:-}" ] || python3 - data/test.csv.gz "$FILE" <<'PY'
import csv, gzip, random, sys
with gzip.open(sys.argv[1], "rt", newline="") as f:
    head, *rows = csv.reader(f)
r = random.Random(1)
one = rows[0]
busy = [x[:4] + one[4:15] + x[15:] for x in rows[:20000]]  # one customer's
part = sorted(busy + rows[20000:25000], key=lambda x: r.random())[:5000]
parts = [sorted(busy + rows[:10000], key=lambda x: x[0]), part, [[rows[40000][0]] + x[1:] for x in rows[40000:45000]], rows[50000:44999:-1]]
with open(sys.argv[2], "w", newline="") as f:
    w = csv.writer(f, lineterminator="\n")
    w.writerow(head)
    for p in parts:
        w.writerows(p)
PY
ROWS=$(($(wc -l <"$FILE") - 1))
exits 0 "$FRAUDTOP" score "$FILE" -m velocity -q -o "$TMP/offline.csv"

# same_pairs TOPIC TIMES: the (id, score) of the topic, read committed by a reader that is not ours, are the offline ones;
# TIMES: how often each may come (0: any)
same_pairs() {
    ids_of "$RUN" "$ROWS" >"$TMP/want.ids"
    for s in 15 30 60; do # on a busy machine the reader may give up before it has begun
        kafka_tool org.apache.kafka.tools.consumer.ConsoleConsumer --bootstrap-server "$BROKERS" --topic "$1" --from-beginning \
            --timeout-ms ${s}000 --isolation-level read_committed >"$TMP/verdicts" || true
        [ "$(wc -l <"$TMP/verdicts")" -lt "$ROWS" ] || break
    done
    python3 - "$TMP/want.ids" "$TMP/offline.csv" "$TMP/verdicts" "$2" <<'PY' || fail "seed $SEED: the stream's scores are not those of score FILE"
import collections, csv, json, sys
ids = [l.strip() for l in open(sys.argv[1])]
want = {(ids[int(r["row"])], float(r["score"])) for r in csv.DictReader(open(sys.argv[2]))}
got = collections.Counter((v["transaction_id"], v["score"]) for l in open(sys.argv[3]) for v in json.loads(l))
most = max(got.values(), default=0)
print(f"{len(want)} rows, {len({s for _, s in want})} scores, {sum(got.values()) - len(got)} came again, "
      f"{len(want - set(got))} missing, {len(set(got) - want)} others")
sys.exit(set(got) != want or (int(sys.argv[4]) and most > int(sys.argv[4])))
PY
}
scorer() { member "$1" "$FRAUDTOP" score -m velocity $OPTIONS; }
event() {
    local who=s$((RANDOM % 3)) what=$1
    case $what in
    kill) killed "$who"; scorer "$who" ;;
    hang) kill -STOP "${PID[$who]}"; sleep 9; kill -CONT "${PID[$who]}" ;;
    rebalance) killed "$who" TERM; same "$who after SIGTERM" "$ENDED" 143; sleep 1; scorer "$who" ;;
    restart) kafka restart ;;
    kill9) kafka kill9; sleep 1; kafka start ;;
    esac
    echo "  $(date +%T) $what $who"
}
for OPTIONS in ${FT_OPTIONS-"" --exactly-once}; do
    export FRAUDTOP_TOPICS_TRANSACTIONS=$T.t$OPTIONS FRAUDTOP_TOPICS_SCORING=$T.s$OPTIONS FRAUDTOP_SCORE_GROUP=$T.g$OPTIONS
    for i in 0 1 2; do scorer "s$i"; done
    replay_of "$FILE" "$RATE" -m velocity
    for i in $(seq "$ROUNDS"); do
        sleep "$((RANDOM % 3)).$((RANDOM % 10))"
        # each kind comes, whatever the seed
        event "$(sed -n "$(((i + SEED) % 5 + 1))p" <<<$'kill\nhang\nkill9\nrebalance\nrestart')"
    done
    ENDED=0
    wait "${PID[replay]}" || ENDED=$?
    same "replay's end ($(tail -n 2 "$TMP/replay.log"))" "$ENDED" 0
    same_pairs "$FRAUDTOP_TOPICS_SCORING" "$([ -z "$OPTIONS" ] && echo 0 || echo 1)"
    for i in 0 1 2; do killed "s$i" TERM; same "s$i after SIGTERM" "$ENDED" 143; done
    echo "state${OPTIONS:+ $OPTIONS}: seed $SEED, $ROUNDS events, $ROWS rows: as score FILE"
done
