# The console on real Kafka and PostgreSQL: what others write shows, two reviewers, a threshold put into force and taken
# back, a replay ruled from the screen.
# ctest: timeout 300
. "$FT_SOURCE/tests/services.sh"
. "$FT_SOURCE/tests/integration/pipeline.sh"
. "$FT_SOURCE/tests/tui/screen.sh"
need jq python3
need_kafka
need_postgres

force() { sql "SELECT value ->> 'threshold', who, note FROM fraudtop_in_force WHERE kind = 'threshold' ORDER BY id DESC LIMIT 1"; }
is_force() { [ "$(force)" = "$1" ]; }
decisions() { sql "SELECT count(*) FROM fraudtop_events WHERE kind IN ('fraud', 'legitimate')"; }

made 60000 3 "$TMP/rows.csv"
mkdir "$TMP/files"
mv "$TMP/rows.csv" "$TMP/files"
cd "$TMP/files"
member score "$FRAUDTOP" score -m "$FT_SOURCE/models/seed-004"
member sink "$FRAUDTOP" sink
console ana 100x30 --as ana -m "$FT_SOURCE/models/seed-004"
console ben 80x24 --as ben -m "$FT_SOURCE/models/seed-004"
shows ana 30 'kafka UP +pg UP'
shows ana 30 'score 1 +sink 1'
shows ben 30 'kafka UP +pg UP'

# a fraud that somebody made up, with psql
id=aaaaaaaa-0000-4000-8000-00000000f00d
sql "INSERT INTO fraud_scores (transaction_id, score, fraud_flag) VALUES ('$id', 0.987, 1)"
begin=$(date +%s%3N)
shows ana 15 '0\.987'
took=$(($(date +%s%3N) - begin))
echo "a row by hand shows after $took ms"
types ana 2
types ben 2
shows ana 15 '^> .*0\.987'
shows ben 15 '^> .*0\.987'

# both decide it: one entry, one polite refusal
for who in ana ben; do
    shows $who 15 'preview .*tx ' # it is selected: Live has the same row, but nothing to decide on yet
    types $who d
    shows $who 10 'f fraud +l legitimate'
done
types ana f
shows ana 10 'reason +1 card stolen'
types ana 4
shows ana 10 'note \(Enter'
types ben l
shows ben 10 'reason +1 holder confirms'
types ben 1
shows ben 10 'note \(Enter'
types ana Enter
shows ana 15 'Written: fraud'
types ben Enter
shows ben 15 'ana.*(fraud|decided)'
same "entries for a row that two decided" "$(decisions)" 1

# a replay from the screen: started, paused, another rate, stopped
types ana 4
shows ana 20 'rows\.csv'
types ana j
shows ana 10 '^ > rows\.csv'
types ana Enter
shows ana 10 '^ > rate '
types ana Down Down Down Down
shows ana 10 '^ > start'
types ana Enter
shows ana 20 '^ rate +limit 100 tx/s'
shows ana 20 '^ acked +[1-9]'
shows ana 20 'rows\.csv .* running'

# a file behind it waits for its turn and can be taken back
head -n 51 rows.csv >next.csv
echo 'no row' >>next.csv
types ana R
shows ana 20 'next\.csv'
types ana /
shows ana 10 'search'
types ana -l next
types ana Enter
shows ana 10 '^ > next\.csv'
types ana Enter
shows ana 10 '^ > rate '
types ana Down Down Down Down
types ana Enter
shows ana 20 'Waits until the present replay has ended'
shows ana 20 'next\.csv .* waiting, next'
shows ana 20 'rows\.csv, then 1 more'
types ana x
shows ana 10 'Not to be replayed any more'
types ana y
hides ana 20 'waiting, next'
types ana Enter Down Down Down Down Enter
shows ana 20 'next\.csv .* waiting, next'

types ben 1
shows ben 20 'replayed [1-9]'
types ana '>'
shows ana 20 '^ rate +limit 200 tx/s'
types ana p
shows ana 20 'PAUSED'
types ana p
hides ana 20 'PAUSED'
shows ana 20 '^ rate +limit 200 tx/s'
within 30 has_rows 300 || fail "$(rows) rows"

# a threshold put into force on the screen: all scorers follow, the log has it, it is taken back
types ben 3
shows ben 20 'now 0\.500'
types ben t
shows ben 10 'threshold.*>'
types ben C-u
types ben -l '0.0001'
shows ben 10 '> 0\.0001'
types ben Enter
shows ben 10 'cursor 0\.0001'
types ben A
shows ben 10 'Apply 0\.0001'
types ben y
shows ben 10 'note \(required'
types ben -l 'try low'
types ben Enter
shows ben 15 'is in force'
shows ana 15 'thr 0\.0001'
within 20 is_force '0.0001|ben|try low' || fail "in force: $(force)"
low() { [ "$(sql "SELECT count(*) FROM fraudtop_cases WHERE threshold = 0.0001")" -gt 5 ]; }
within 20 low || fail "the scorer does not use the new threshold"
types ben 6
shows ben 15 'ben +threshold 0.0001 "try low"'
exits 0 "$FRAUDTOP" threshold apply 0.5 --note 'taken back' --as ana
shows ana 15 'thr 0\.500'
within 20 is_force '0.5|ana|taken back' || fail "in force: $(force)"

types ana q
shows ana 10 'Quit and stop them'
types ana n
types ana x
shows ana 10 'Not to be replayed any more'
types ana n
types ana j
types ana x
shows ana 10 'begin the next'
types ana y
shows ana 20 'rows\.csv .* stopped'
shows ana 20 'next\.csv was replayed: 50 rows sent, 1 rejected'
shows ana 20 'No replay runs'
shows ana 20 'the last one: sent 50 rows +acked 50 +rejected 1'

# the rows that a file's last run rejected, with their lines
shows ana 20 'next\.csv .* 1 rejected'
types ana /
shows ana 10 'search'
types ana -l next
types ana Enter
shows ana 10 '^ > next\.csv'
types ana r
shows ana 10 'rejected rows of next\.csv'
shows ana 10 '^ +52  1 field'
types ana Escape

# messages from an offset on; the topics are of our kind, not of the broker's
types ana 5
shows ana 20 'partitions'
shows ana 20 '^ > .*trans'
types ana Enter
shows ana 20 'messages of .*newest first'
types ana /
types ana -l 5
types ana Enter
shows ana 20 'messages of .* from 5 on'
shows ana 20 '^ > +[0-2] +5 '
types ana Escape Escape
exits 0 "$FRAUDTOP" topics list --json
same "partitions of the status topic" "$(jq ".topics[] | select(.topic == \"$T.status\") | .partitions" "$TMP/out")" 1

# all that the filter shows as a file; the summary for the next shift
shows ana 20 'lag 0'
types ana 2
shows ana 10 'review queue'
types ana e
shows ana 10 'c CSV +j JSON lines'
types ana c
shows ana 20 'rows, names masked: queue-.*\.csv'
same "rows of the export" "$(tail -n +2 "$TMP"/files/queue-*.csv | wc -l)" \
    "$(sql "SELECT count(*) FROM fraudtop_cases WHERE status = 'open' AND flagged")"
check "no part is left" test -z "$(ls "$TMP"/files/*.part 2>/dev/null)"
types ana :
types ana -l handover
types ana Enter
shows ana 15 'sample changes: 2'
types ana Escape

# the consoles are processes of the pipeline like others
types ben 5
shows ben 20 '^ console .* running'
hides ben 10 '^ console .* (starting|done)'

# both leave; nothing else ends
types ben q
ends ben 20 0
types ana q
ends ana 20 0
kill -0 "${PID[score]}" && kill -0 "${PID[sink]}" || fail "the pipeline ended with the consoles"
