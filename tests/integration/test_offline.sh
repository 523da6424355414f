# score, evaluate, explain, features and model on files: outputs, exit statuses, equal results on any number of threads.
set -u
cd "$FT_SOURCE"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export XDG_STATE_HOME=$work/state XDG_CONFIG_HOME=$work/config HOME=$work
bad=0
fail() { echo "FAILED: $*" >&2; bad=1; }
is() { [ "$2" = "$3" ] || fail "$1: '$2', not '$3'"; }
ft() { "$FRAUDTOP" "$@"; }

# ---- score
ft score data/test.csv.gz --label target --limit 3000 --threads 1 -q > "$work/one" || fail "score ends with $?"
is "header of score" "$(head -1 "$work/one")" "row,score,fraud_flag,raw"
is "rows of score" "$(wc -l < "$work/one")" 3001
zcat data/expected_seed_scores.csv.gz | head -3001 > "$work/want"
join -t, <(cut -d, -f1,2 "$work/one" | tail -n +2 | sort) <(tail -n +2 "$work/want" | sort) |
    awk -F, '{ d = $2 - $3; if (d > 1e-12 || d < -1e-12) n++ } END { exit n > 0 || NR != 3000 }' ||
    fail "scores differ from CatBoost's"
for threads in 2 3 7; do
    ft score data/test.csv.gz --label target --limit 3000 --threads $threads -q | cmp -s - "$work/one" ||
        fail "$threads threads give another result"
done
zcat data/test.csv.gz | ft score - --label target --limit 3000 -q | cmp -s - "$work/one" || fail "standard input"
ft score data/new_small.csv data/new_small.csv -q | cut -d, -f1 | tail -1 | grep -qx 179 || fail "rows count over files"
ft score data/new_small.csv --json --reasons 2 -q | head -1 |
    grep -q '^{"row":0,"score":0.01709227.*,"fraud_flag":0,"raw":-4.05188876.*,"reasons":\[{"feature":"hour","value":"2",' ||
    fail "score --json --reasons"
is "flags at another threshold" "$(ft score data/new_small.csv -q --threshold 0 | grep -c ',1,')" 90

# ---- bad rows
{ head -3 data/new_small.csv; echo 'a,b'; sed -n 5p data/new_small.csv | sed 's/gas_transport,71.97/gas_transport,-5/'
  sed -n 6p data/new_small.csv; } > "$work/bad.csv"
ft score "$work/bad.csv" --quarantine "$work/q.csv" > "$work/out" 2> "$work/err"
is "status with rejected rows" $? 3
is "rows that were scored" "$(tail -n +2 "$work/out" | cut -d, -f1 | tr '\n' ' ')" "0 1 4 "
grep -q '2 of 5 rows rejected' "$work/err" || fail "the summary does not tell of rejected rows"
is "header of the quarantine" "$(head -1 "$work/q.csv")" "line,reason,text"
is "lines of the quarantine" "$(tail -n +2 "$work/q.csv" | cut -d, -f1 | tr '\n' ' ')" "4 5 "
ft score "$work/bad.csv" --quarantine - -o "$work/out" -q | cmp -s - "$work/q.csv" || fail "bad rows on standard output"
is "what a closed pipe makes say" "$(ft generate --rows 100000 -q 2>&1 > >(head -1 > /dev/null))" ""
is "what a full disk makes say" "$(ft generate --rows 10 -q 2>&1 > /dev/full | wc -l)" 1
printf 'amount,merch\n1,a\n' > "$work/few.csv"
ft score "$work/few.csv" > "$work/out" 2> "$work/err"
is "status with missing columns" $? 1
[ -s "$work/out" ] && fail "a header was printed although nothing could be scored"
grep -q 'transaction_time' "$work/err" || fail "the missing columns are not named"
ft score data/new_small.csv -m no-such-model 2> "$work/err"
is "status without a model" $? 2
ft score data/new_small.csv -m tests/data/catboost/reject/core_cut.cbm 2> "$work/err"
is "status with a damaged model" $? 2

ft score data/new_small.csv --reasons 3 > "$work/none" 2> "$work/err"
is "reasons without --json" $? 2
grep -q 'wants --json' "$work/err" || fail "reasons without --json: $(cat "$work/err")"

# ---- evaluate: figures of scikit-learn 1.9 on the same scores
ft evaluate data/test.csv.gz --label target --json -q > "$work/eval" || fail "evaluate ends with $?"
python3 - "$work/eval" << 'PYTHON' || fail "evaluate's figures"
import json, sys
e = json.load(open(sys.argv[1]))
want = {"rows": 77895, "positives": 418, "tp": 191, "fp": 191, "tn": 77286, "fn": 227, "threshold": 0.5,
        "roc_auc": 0.97814264125182881, "pr_auc": 0.40569246617030613, "log_loss": 0.018618050941930808,
        "brier": 0.0043890088604360321, "precision": 0.5, "recall": 191 / 418, "fpr": 191 / 77477, "f1": 0.4775}
for name, v in want.items():
    assert abs(e[name] - v) <= 1e-12, (name, e[name], v)
assert list(e) == ["rows", "positives", "roc_auc", "pr_auc", "log_loss", "brier", "threshold", "tp", "fp", "tn", "fn",
                   "precision", "recall", "fpr", "f1", "best_f1", "at_fpr_5", "money"], list(e)
PYTHON
ft evaluate data/test.csv.gz --label target --limit 2000 -m seed-004 -m models/seed-004 --curve "$work/curve" -q > "$work/table" ||
    fail "evaluate of two models ends with $?"
grep -Eq '^ +seed-004 +models/seed-004$' "$work/table" || fail "two models of one name do not stand side by side: $(head -1 "$work/table")"
grep -q '^models/seed-004: precision' "$work/table" || fail "the plot of the second model"
is "models of the curve" "$(cut -d, -f1 "$work/curve" | sort -u | tr '\n' ' ')" "model models/seed-004 seed-004 "
grep -Eq '^  money flagged +([0-9]{1,3},)*[0-9]{1,3} ' "$work/table" || fail "money: $(grep 'money flagged' "$work/table")"
ft evaluate data/new_small.csv --label target --curve - -q 2> "$work/err" && fail "a label that is not there"
ft evaluate data/test.csv.gz --label target --limit 2000 -m seed-004 -m models/seed-004 --curve - -q | cmp -s - "$work/curve" ||
    fail "the curve on standard output"
head -1 "$work/curve" | grep -q '^model,threshold,tp,' || fail "the curve's header"
cp -r models/seed-004 "$work/comma" && sed -i 's/"name": "seed-004"/"name": "one, \\"two\\""/' "$work/comma/manifest.json"
ft evaluate data/test.csv.gz --label target --limit 2000 -m "$work/comma" -m seed-004 --curve "$work/curve" -q > "$work/table" ||
    fail "a model's name with a comma"
python3 -c 'import csv, sys
rows = list(csv.reader(open(sys.argv[1])))
sys.exit(len({len(r) for r in rows}) > 1 or rows[1][0] != "one, \"two\"")' "$work/curve" || fail "the curve's cells: $(sed -n 2p "$work/curve")"
# a threshold of the table, used again, gives the figures beside it; no more digits than that takes
grep -c '^.*: threshold' "$work/table" | grep -qx 2 || fail "thresholds of the table"
recall=$(awk '/^FPR up to/ { t = 1 } t && $1 == "recall" { print $2; exit }' "$work/table")
best=$(awk '/^FPR up to/ { print $6 }' "$work/table")
ft evaluate data/test.csv.gz --label target --limit 2000 --threshold "$best" -q > "$work/again"
is "recall at a printed threshold" "$(awk '/^ *recall/ { print $2; exit }' "$work/again")" "$recall"
[ ${#best} -lt 12 ] || fail "the threshold $best has too many digits"
ft evaluate data/new_small.csv 2> "$work/err"
is "evaluate without a label" $? 2

# ---- explain: contributions add up
ft explain data/new_small.csv --row 3 --json > "$work/why" || fail "explain ends with $?"
python3 - "$work/why" << 'PYTHON' || fail "explain does not add up"
import json, sys
e = json.load(open(sys.argv[1]))
assert list(e) == ["row", "raw", "score", "base", "contributions"] and len(e["contributions"]) == 19
assert abs(e["base"] + sum(c["contribution"] for c in e["contributions"]) - e["raw"]) < 1e-9
PYTHON
ft explain data/new_small.csv --row 90 2> "$work/err"
is "explain of a row that is not there" $? 2
ft explain "$work/bad.csv" --row 3 > /dev/null 2> "$work/err"
is "explain of a bad row" $? 1
grep -q 'amount' "$work/err" || fail "explain does not say why the row is bad"

# ---- features
is "features" "$(ft features data/new_small.csv -q | sed -n 2p)" \
   '0,"fraud_Stokes, Christiansen and Sipes",grocery_net,25.79,M,Cross Plains,TX,76443,32.1482,-99.1872,1897,Chief Operating Officer,31.772057,-99.103183,1,2019,9,14,2,46'
mkdir "$work/past"
cat > "$work/past/manifest.json" << 'JSON'
{"format": 1, "name": "past", "version": "1", "stages": [
 {"name": "first", "features": [{"name": "amount"}]},
 {"name": "second", "features": [
  {"name": "first", "stage": "first"},
  {"name": "n_24h", "window": "24h", "value": "transaction", "aggregate": "count"},
  {"name": "mean", "window": "life", "value": "amount", "aggregate": "mean"},
  {"name": "last", "window": "life", "value": "score", "aggregate": "last"}]}]}
JSON
ft features data/test.csv.gz --label target -m "$work/past" -q 2> "$work/err"
is "features without the first stage's scores" $? 2
zcat data/test.csv.gz | awk 'BEGIN { print "row,raw" } NR > 1 { print NR - 2 "," (NR % 97) / 7 - 9 }' > "$work/scores"
ft features data/test.csv.gz --label target -m "$work/past" --stage-scores "$work/scores" -q --threads 1 > "$work/f1" ||
    fail "features ends with $?"
is "header of features" "$(head -1 "$work/f1")" "row,first,n_24h,mean,last,label"
for threads in 2 5; do
    ft features data/test.csv.gz --label target -m "$work/past" --stage-scores "$work/scores" -q --threads $threads |
        cmp -s - "$work/f1" || fail "state depends on threads ($threads)"
done
# rows in the order of their amounts: times go back and forth
{ zcat data/test.csv.gz | head -1; zcat data/test.csv.gz | tail -n +2 | sort -t, -k4,4 -s; } > "$work/shuffled.csv"
ft features "$work/shuffled.csv" --label target -m "$work/past" --stage-scores "$work/scores" -q --threads 1 > "$work/s1"
ft features "$work/shuffled.csv" --label target -m "$work/past" --stage-scores "$work/scores" -q --threads 4 |
    cmp -s - "$work/s1" || fail "shuffled rows depend on threads"
is "rows of a shuffled file" "$(wc -l < "$work/s1")" "$(wc -l < "$work/f1")"

# ---- model
ft model list | grep -q '^seed-004 ' || fail "model list"
ft model show | grep -q '22 symmetric trees' || fail "model show"
ft model show velocity | grep -q "scores of main\|velocity" || fail "model show NAME"
ft model show --json | python3 -c 'import json,sys; assert len(json.load(sys.stdin)["stages"][0]["features"]) == 19' || fail "model show --json"
ft model check > /dev/null || fail "model check ends with $?"
cp -r models/seed-004 "$work/changed" && printf 'x' >> "$work/changed/model.cbm"
ft model check -m "$work/changed" 2> "$work/err"
is "check of a changed model" $? 1
grep -q sha256 "$work/err" || fail "check does not say what is wrong"
sed -i 's/"raw": -4/"raw": -5/' "$work/changed/manifest.json" && cp models/seed-004/model.cbm "$work/changed/"
ft model check -m "$work/changed" 2> "$work/err" && fail "check rows are not compared"
grep -q 'check row 1' "$work/err" || fail "check does not name the row"
exit $bad
