# Names and streets are masked: no first name and no street of a flagged customer is in anything that the console, its export,
# its recording, snapshot, watch or handover give out; m shows them, is logged, and is refused while a recording runs.
. "$FT_SOURCE/tests/services.sh"
. "$FT_SOURCE/tests/tui/screen.sh"
need jq python3
need_kafka
need_postgres
mkdir "$TMP/here"
cd "$TMP/here"
# customers with names and streets that no merchant, town or trade shares
python3 - "$FT_SOURCE/data/test.csv.gz" >rows.csv <<'PY'
import csv, gzip, itertools, sys
r = csv.DictReader(gzip.open(sys.argv[1], "rt"))
w = csv.DictWriter(sys.stdout, r.fieldnames, lineterminator="\n")
w.writeheader()
for row in itertools.islice(r, 4000):
    c = int(row["post_code"]) % 7
    row["name_1"], row["street"] = "Qwx%dna" % c, "%d Zyxw%d Path" % (c + 11, c)
    w.writerow(row)
PY
exits 0 "$FRAUDTOP" run rows.csv --label target -m "$FT_SOURCE/models/velocity" --threshold 0.1 -q --json
[ "$(jq .flagged "$TMP/out")" -gt 5 ] || fail "too few are flagged: $(cat "$TMP/out")"
clean() { # FILE...
    local f
    for f; do
        [ -s "$f" ] || fail "$f is empty"
        if grep -qE 'Qwx|Zyxw' "$f"; then fail "$f tells: $(grep -m 3 -E 'Qwx|Zyxw' "$f")"; fi
    done
}

console ana 140x40 --as ana -m "$FT_SOURCE/models/velocity" --record "$TMP/ana.cast" --mask off
shows ana 30 'kafka UP +pg UP'
shows ana 30 'Q\. [A-Z][a-z]+' # as it should be
for key in 2 Enter Tab Tab Tab Tab Tab J Escape 3 4 5 6 1; do
    types ana "$key"
    sleep 0.7
    picture ana >>"$TMP/ana.pictures"
done
types ana m
shows ana 10 'recorded: names and streets stay masked'
types ana :
types ana -l 'mask off'
types ana Enter
shows ana 10 'recorded: names and streets stay masked'
types ana Escape
types ana 2
shows ana 10 'review queue'
types ana / x1dn Enter
shows ana 10 'masked'
types ana Escape Escape 2
types ana e
shows ana 10 'c CSV +j JSON lines'
types ana c
shows ana 20 'rows, names masked: queue-.*\.csv'
types ana e
shows ana 10 'c CSV +j JSON lines'
types ana j
shows ana 20 'rows, names masked: queue-.*\.jsonl?'
types ana P
shows ana 10 '\.txt'
types ana Q
ends ana 20 0
clean "$TMP/ana.pictures" "$TMP/ana.cast" queue-* *.txt
grep -q 'Q\. ' "$TMP/ana.pictures" || fail "no customer was on the screen"

for screen in live queue threshold replay health log; do
    "$FRAUDTOP" snapshot --screen "$screen" --size 140x40 >"$TMP/snap.$screen" 2>"$TMP/err" || fail "snapshot $screen: $(cat "$TMP/err")"
    clean "$TMP/snap.$screen"
done
exits 0 "$FRAUDTOP" watch --plain --count 1
clean "$TMP/out"
exits 0 "$FRAUDTOP" handover --since 8h
clean "$TMP/out"

# without a recording m shows them, which is logged
console ben 140x40 --as ben -m "$FT_SOURCE/models/velocity"
shows ben 30 'Q\. [A-Z][a-z]+'
types ben m
shows ben 10 'Qwx[0-9]na'
types ben m
hides ben 10 'Qwx'
types ben 6
shows ben 15 'names shown'
types ben Q
ends ben 20 0
