# Text chosen by a stranger, the whole way from the file to each screen and each command: no control byte, no sequence and
# no mark of direction reaches the terminal, and the scores beside it stay.
# ctest: timeout 240
. "$FT_SOURCE/tests/services.sh"
. "$FT_SOURCE/tests/integration/pipeline.sh"
need jq python3
need_kafka
need_postgres

export LC_ALL=C.UTF-8 FRAUDTOP_MODEL_THRESHOLD=0
cat >"$TMP/hostile.py" <<'PY'
import csv, sys
texts = ["\r0.001  legit", "\x1b]0;owned\a", "\x1b[2J\x1b[Hgone", "\u009b31mC1", "a\nb\tc\vd", "\u202etigel 100.0", "\u2066iso\u2069",
         "zero\u200bwidth\ufeff", "\U0001f4b3\U0001f4b3\ufe0f\u200d\U0001f4b3", "e\u0301\u0302\u0303\u0304\u0305 marks", "\x7f\x01\x02\x0e",
         "\u2028line\u2029", "\u65e5\u672c\u8a9e\u306e\u5e97", "m" * 10000, "\x1bP1;2|dcs\x1b\\", "\x1b]52;c;b3duZWQ=\a", "=1+1", "x" * 300 + "\r"]
head = "transaction_time merch cat_id amount name_1 name_2 gender street one_city us_state post_code lat lon population_city jobs merchant_lat merchant_lon".split()
with open(sys.argv[1], "w", newline="") as f:
    w = csv.writer(f, lineterminator="\n", quoting=csv.QUOTE_ALL)
    w.writerow(head)
    for i, t in enumerate(texts):
        w.writerow(["2020-02-23 03:%02d" % i, t, t, "%d.50" % (900 - i), t, t, "F", t, t, "TX", 70000, 30.1, -90.2, 1000, t, 30.2, -90.1])
PY
# clean FILE WHAT [tail]: printable UTF-8 and newlines alone; a wide character is no hostile one
clean() { python3 - "$@" <<'PY' || fail "$2: see above"; }
import re, sys
text = open(sys.argv[1], "rb").read()
try:
    s = text.decode()
except UnicodeDecodeError as e:
    sys.exit(f"{sys.argv[2]}: not UTF-8: {e}")
if not s.strip():
    sys.exit(f"{sys.argv[2]}: nothing came")
m = re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]", s)
if m:
    sys.exit(f"{sys.argv[2]}: {ascii(s[max(0, m.start() - 40):m.end() + 40])}")
PY

cd "$TMP"
mkdir files
evil=$'\e]0;owned\a\r0.001.csv'
python3 hostile.py "files/$evil"
member score "$FRAUDTOP" score -m "$FT_SOURCE/models/seed-004"
member sink "$FRAUDTOP" sink
exits 3 "$FRAUDTOP" replay "files/$evil"
clean err "the summary of a replay"
within 60 has_rows 12 || fail "$(rows) rows of $(cat err)"
echo "$(rows) of 18 rows are stored"
ids=$(sql "SELECT transaction_id FROM fraudtop_cases ORDER BY 1")
first=$(head -n 1 <<<"$ids")
exits 0 "$FRAUDTOP" cases note "$first" $'\e]0;owned\a \r0.001 \u202e note' --as $'\e[31mmallory'
exits 0 "$FRAUDTOP" threshold apply 0.0001 --note $'\r\e[2Jgone' --as $'b\re'

for words in "list" "list --sort score" "stats" "log" "export"; do
    # shellcheck disable=SC2086
    exits 0 "$FRAUDTOP" cases $words
    [ "$words" = export ] || clean out "cases $words"
    [ "$words" != list ] || for part in legit tigel owned iso; do grep -q "$part" out || fail "no $part in the list"; done
done
for id in $(head -n 4 <<<"$ids"); do
    exits 0 "$FRAUDTOP" cases show "$id"
    clean out "cases show $id"
done
exits 0 "$FRAUDTOP" handover --since 8h
clean out handover
for topic in "$FRAUDTOP_TOPICS_TRANSACTIONS" "$FRAUDTOP_TOPICS_SCORING" "$FRAUDTOP_TOPICS_CONTROL" "$FRAUDTOP_TOPICS_STATUS"; do
    exits 0 "$FRAUDTOP" topics tail "$topic" --limit 50
    clean out "topics tail $topic"
done
exits 0 "$FRAUDTOP" topics find "$first"
clean out "topics find"
for screen in live queue threshold replay health log; do
    exits 0 "$FRAUDTOP" snapshot --screen "$screen" --size 140x40
    clean out "snapshot $screen"
done

# on the screens: what comes out of the terminal holds none of what went in
cd files
env TERM=xterm-256color python3 "$FT_SOURCE/tests/tui/seat.py" 100x30 "$FRAUDTOP" --as ana -m "$FT_SOURCE/models/seed-004" >"$TMP/frames" <<END
wait 60 following
sh sleep 0.5
type 2
wait 20 preview
sh sleep 0.5
type m
frames 15 j
type \r
sh sleep 0.5
type \t
sh sleep 0.5
type \t
sh sleep 0.5
frames 6 \t
frames 6 J
type 3
sh sleep 1
type \r
sh sleep 0.5
type 4
sh sleep 1
type jr
sh sleep 0.5
type \x1b\r
sh sleep 0.5
type \x1b
sh sleep 0.5
type 5
sh sleep 1
type \r
sh sleep 1
frames 6 j
type \r
sh sleep 0.5
type 6
sh sleep 1
frames 4 j
type \r
sh sleep 0.5
type 1
sh sleep 0.5
save $TMP/terminal
type Q
end 20 0
END
python3 - "$TMP/terminal" <<'PY' || fail "the terminal"
import sys
out = open(sys.argv[1], "rb").read()
print(len(out), "bytes came out of the terminal")
for bad in [b"owned\a", b"\x1b]0;", b"\x1b]52;", b"\x1bP", b"\a", b"\xc2\x9b", b"\t", b"\v", b"\x7f", b"\x0e", b"\r0.001  legit"] + \
        [c.encode() for c in "\u202e\u2066\u2069\u200b\u200d\ufeff\u2028\u2029"]:
    if bad in out:
        at = out.index(bad)
        sys.exit(f"{bad!r} in {out[max(0, at - 100):at + 100]!r}")
if out.count(b"owned") < 3:
    sys.exit("what was written is not on the screens")
PY
