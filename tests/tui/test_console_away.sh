# Kafka and PostgreSQL stopped, hung and started again under the console: it says what is down, goes on, and recovers.
# ctest: timeout 300
. "$FT_SOURCE/tests/services.sh"
. "$FT_SOURCE/tests/integration/pipeline.sh"
. "$FT_SOURCE/tests/faults/servers.sh"
. "$FT_SOURCE/tests/tui/screen.sh"
need python3
own_kafka
own_postgres
made 60000 7 "$TMP/rows.csv"
three_stages -m "$FT_SOURCE/models/seed-004" --threshold 0.4 # unlike the console's own
replay_of "$TMP/rows.csv" 100
within 60 has_rows 50 || fail "nothing is stored"
id=aaaaaaaa-0000-4000-8000-00000000f00d
sql "INSERT INTO fraud_scores (transaction_id, score, fraud_flag) VALUES ('$id', 0.999, 1)"

console ana 100x30 --as ana -m "$FT_SOURCE/models/seed-004"
shows ana 60 'kafka UP +pg UP'
shows ana 30 '0\.999'
shows ana 30 'score 1 +sink 1 +.*thr 0\.400'

# a role that may only read: said, and nothing is offered
sql "CREATE ROLE eve LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO eve"
console eve 100x30 --as eve -d "host=$PGDIR user=eve dbname=fraud" --screen queue
shows eve 60 'read only'
shows eve 30 '0\.999'
hides eve 10 'd decides?'
types eve d
shows eve 10 'Read only: the database role'
types eve 3
shows eve 20 'at the cursor'
types eve S
shows eve 10 'Read only: the database role'
types eve q
ends eve 30 0

# PostgreSQL stopped: said, the list stays, a decision is refused and nothing of it is lost
pg stop
shows ana 30 'PG DOWN'
sees ana '0\.999' || { look ana; fail "the list went away with the database"; }
types ana 5
shows ana 10 '\[5 Health\]'
shows ana 10 'PG DOWN [0-9:]*'
types ana 1
pg start
shows ana 30 'pg UP'

# hung, not gone: the keys still answer
server=$(head -n 1 "$PGDIR/data/postmaster.pid")
hang() { kill "-$1" "$server" $(pgrep -P "$server"); }
hang STOP
shows ana 40 'PG DOWN'
types ana 2
shows ana 10 '\[2 Queue'
types ana 1
shows ana 10 '\[1 Live\]'
hang CONT
shows ana 40 'pg UP'

# Kafka hung and back: said, and reviewing goes on meanwhile
kafka pause
shows ana 60 'KAFKA DOWN'
for _ in $(seq 15); do # nobody is said to have ended because nothing is heard; a broker that hangs does not come back by hanging
    sleep 1
    sees ana 'KAFKA DOWN.*score 1 +sink 1 .*thr 0\.400' || { look ana; fail "Kafka hangs, and the picture changes"; }
done
types ana 5
shows ana 10 '^ score .* running .* silent'
types ana 1
types ana '/'
types ana -l '0.999'
types ana Escape
types ana 2
shows ana 20 '\[2 Queue'
types ana f
shows ana 10 'filter'
types ana C-u
types ana -l 'score>=0.998'
types ana Enter
shows ana 20 '^> .*0\.999'
types ana d
shows ana 10 'f fraud +l legitimate'
types ana f
shows ana 10 'reason +1'
types ana 4
shows ana 10 'note \(Enter'
types ana Enter
shows ana 20 'Written: fraud'
same "decisions" "$(sql "SELECT count(*) FROM fraudtop_events WHERE kind = 'fraud'")" 1
kafka resume
shows ana 60 'kafka UP'
types ana 1
shows ana 60 'scored [1-9][0-9]*'
exits 0 "$FRAUDTOP" handover
same "outages of Kafka for the next shift" "$(grep -c 'Kafka is down' "$TMP/out")" 1
check "the outages of PostgreSQL for the next shift" grep -q 'PostgreSQL' "$TMP/out"
! grep -q 'lives; there were' "$TMP/out" || fail "somebody ended: $(cat "$TMP/out")"
types ana q
ends ana 30 0
