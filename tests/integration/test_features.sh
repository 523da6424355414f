# State features against their formulas, written down a second time (features_reference.py), on data that are hard to
# remember rightly: time going back, equal times, gaps, bursts, more categories than are kept, empty cells, any script.
# Then: any number of threads and any cut of the file gives the same, and a score is what the features say.
. "$FT_SOURCE/tests/services.sh"
need python3
REF=$FT_SOURCE/tests/integration/features_reference.py

mkdir "$TMP/all" # every state feature there is
python3 - "$TMP/all/manifest.json" <<'PY'
import json, sys
windows = ["1m", "1h", "24h", "7d", "today"]
names = {"life": """transaction count, amount sum, amount max, amount mean, amount std, amount log_ratio_mean, amount log_ratio_max,
                    amount deviation, night count, night share, category distinct, time since_last, time age, score last, score ewma""",
         "category": "transaction count, log_amount mean, amount log_ratio_mean"}
for w in windows:
    names[w] = """transaction count, amount sum, amount max, amount mean, amount min, night count, category count, score max, score min,
                  score mean, score count_above""" + (", transaction rate_ratio" if w != "today" else "")
features = [{"name": "%s %s" % (w, n.strip()), "window": w, "value": n.split()[0], "aggregate": n.split()[1]}
            for w in names for n in names[w].split(",")]
features[-1]["above"] = -1.5
features[3]["empty"] = -1
json.dump({"format": 1, "name": "all", "version": "1", "required": ["transaction_time", "amount"], "state": {"gap_days": 100},
           "stages": [{"name": "first", "features": [{"name": "amount"}]}, {"name": "second", "features": features}]},
          open(sys.argv[1], "w"))
PY
for seed in ${FT_SEED:-1}; do
    python3 "$REF" make "${FT_ROWS:-900}" "$seed" "$TMP/rows.csv"
    python3 -c 'import random,sys
r = random.Random(int(sys.argv[1]))
print("row,raw")
for i in range(int(sys.argv[2])): print("%d,%r" % (i, r.gauss(-3, 2)))' "$seed" "${FT_ROWS:-900}" >"$TMP/scores.csv"
    exits 0 "$FRAUDTOP" features "$TMP/rows.csv" -m "$TMP/all" --stage-scores "$TMP/scores.csv" --threads 1 -q -o "$TMP/got.csv"
    python3 "$REF" check "$TMP/all/manifest.json" "$TMP/rows.csv" "$TMP/scores.csv" "$TMP/got.csv" || fail "seed $seed"
    for threads in 2 7; do
        exits 0 "$FRAUDTOP" features "$TMP/rows.csv" -m "$TMP/all" --stage-scores "$TMP/scores.csv" --threads "$threads" -q -o "$TMP/more.csv"
        check "$threads threads give the same features" cmp -s "$TMP/got.csv" "$TMP/more.csv"
    done
done

# in words, for every feature of the model that there is, on a customer's first transaction and later
exits 0 "$FRAUDTOP" score "$FT_SOURCE/data/new_small.csv" "$FT_SOURCE/data/new_small.csv" -m "$FT_SOURCE/models/velocity" --json --reasons 64 -q
for words in 'first of this customer' '1st in 1 h' '2nd today' 'nothing spent before in 7 d' 'none before in 24 h' 'none at night before in 1 h' \
    'none suspicious before in 24 h' 'first in gas_transport' '1 before in gas_transport' '1.0 x usual' '1.0 x the largest before' \
    '1.0 x usual in its category' '2nd of its category in 7 d'; do
    grep -q "\"text\":\"$words\"" "$TMP/out" || fail "no reason says '$words'"
done
! grep -o '"text":"[^"]*\(nan\|inf\|-0\)[^"]*"' "$TMP/out" || fail "a reason that says nothing"
