# For the tests of the pipeline (sourced after tests/services.sh): figures out of JSON, expected sets of ids, members of
# the pipeline in the background.

# json FILE NAME: a number or text of one object in FILE
json() { python3 -c 'import json,sys
v = json.load(open(sys.argv[1]))
for k in sys.argv[2].split("."): v = v[k]
print(v)' "$1" "$2"; }

# ids_of RUN ROWS: the ids that a run gives to rows 0 .. ROWS-1, as docs/formats.md has them, sorted
ids_of() { python3 -c 'import sys
start, h = sys.argv[1].split("-")
start, h = int(start, 16), int(h, 16)
for row in range(int(sys.argv[2])):
    n = start << 80 | 8 << 76 | (h >> 22) << 64 | 2 << 62 | (h & (1 << 22) - 1) << 40 | row
    t = "%032x" % n
    print("-".join((t[:8], t[8:12], t[12:16], t[16:20], t[20:])))' "$1" "$2"; }

# same_ids RUN ROWS: the table holds exactly the ids of these rows
same_ids() {
    ids_of "$1" "$2" >"$TMP/want.ids"
    sql "SELECT transaction_id FROM fraud_scores ORDER BY 1" >"$TMP/got.ids"
    cmp -s "$TMP/want.ids" "$TMP/got.ids" ||
        fail "the table's ids differ: $(diff "$TMP/want.ids" "$TMP/got.ids" | grep -c '^<') missing," \
            "$(diff "$TMP/want.ids" "$TMP/got.ids" | grep -c '^>') more"
}

# same_topic_ids TOPIC RUN ROWS: the topic, read committed by a reader that is not ours, holds each of these ids of the run once
same_topic_ids() {
    local s start=${2:0:8}-${2:8:4}
    ids_of "$2" "$3" >"$TMP/want.ids"
    for s in 10 20 40 80; do # on a busy machine the reader may give up before it has begun: what it reads at last counts
        "$FT_SOURCE/scripts/kafka-server" --port "${BROKERS##*:}" run org.apache.kafka.tools.consumer.ConsoleConsumer \
            --bootstrap-server "$BROKERS" --topic "$1" --from-beginning --timeout-ms ${s}000 --isolation-level read_committed \
            2>/dev/null | sed -n 's/.*"transaction_id":"\('"$start"'[^"]*\)".*/\1/p' | sort >"$TMP/topic.ids" || true
        [ "$(wc -l <"$TMP/topic.ids")" -lt "$3" ] || break
    done
    cmp -s "$TMP/want.ids" "$TMP/topic.ids" ||
        fail "topic $1: $(diff "$TMP/want.ids" "$TMP/topic.ids" | grep -c '^<') ids missing," \
            "$(diff "$TMP/want.ids" "$TMP/topic.ids" | grep -c '^>') more"
}

# member NAME COMMAND...: a process of the pipeline; its id in ${PID[NAME]}, its words in $TMP/NAME.log
declare -A PID
member() {
    local name=$1
    shift
    "$@" >>"$TMP/$name.log" 2>&1 </dev/null &
    PID[$name]=$!
    BG+=($!)
}
# killed NAME [SIGNAL]: kills it and waits for its end; its exit status in $ENDED
killed() {
    kill "-${2:-KILL}" "${PID[$1]}" 2>/dev/null || true
    ENDED=0
    wait "${PID[$1]}" 2>/dev/null || ENDED=$?
}
rows() { sql "SELECT count(*) FROM fraud_scores"; }
has_rows() { [ "$(rows)" -ge "$1" ]; }

# made ROWS SEED FILE: transactions by hand, all different, valid (no generator needed)
made() { python3 - "$@" <<'PY'
import csv, random, sys
rows, seed, path = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
r = random.Random(seed)
cats = "misc_net grocery_pos entertainment gas_transport misc_pos shopping_net home health_fitness travel".split()
with open(path, "w", newline="") as f:
    w = csv.writer(f, lineterminator="\n")
    w.writerow("transaction_time merch cat_id amount name_1 name_2 gender street one_city us_state post_code lat lon "
               "population_city jobs merchant_lat merchant_lon".split())
    for i in range(rows):
        c = r.randrange(200)
        w.writerow(["2020-%02d-%02d %02d:%02d" % (1 + i * 12 // rows, r.randrange(1, 29), r.randrange(24), r.randrange(60)),
                    "fraud_Shop, %d and Sons" % r.randrange(600), r.choice(cats), "%.2f" % (r.expovariate(1 / 70) + 1),
                    "First%d" % c, "Last%d" % (c % 40), "FM"[c % 2], "%d Long Street" % c, "Town%d" % (c % 50), "TX",
                    70000 + c, "%.4f" % (30 + c / 50), "%.4f" % (-90 - c / 50), 1000 + 7 * c, "Clerk, chief",
                    "%.6f" % (30 + r.random()), "%.6f" % (-90 - r.random())])
PY
}

# same_scores RUN ROWS CSV: the table's scores of a run are those that `score FILE` wrote, to the last bit
same_scores() {
    ids_of "$1" "$2" >"$TMP/want.ids"
    sql "SELECT transaction_id, score FROM fraud_scores ORDER BY 1" >"$TMP/got.scores"
    python3 - "$TMP/want.ids" "$3" "$TMP/got.scores" <<'PY' || fail "scores differ"
import csv, sys
ids = [l.strip() for l in open(sys.argv[1])]
want = {ids[int(r["row"])]: float(r["score"]) for r in csv.DictReader(open(sys.argv[2])) if int(r["row"]) < len(ids)}
got = {l.split("|")[0]: float(l.split("|")[1]) for l in open(sys.argv[3])}
bad = [i for i in want if want[i] != got.get(i)]
print(len(want), "rows,", len(set(want.values())), "different scores,", len(bad), "differ from offline")
if bad or len(got) != len(want):
    i = bad[0] if bad else next(iter(set(got) ^ set(want)))
    sys.exit(f"row {ids.index(i)}: offline {want.get(i)!r}, stream {got.get(i)!r}; {len(got)} rows")
PY
}
