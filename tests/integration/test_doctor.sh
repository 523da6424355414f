# doctor: settings with their sources, checks at the same time, no secrets.
. "$FT_SOURCE/tests/services.sh"
need python3
cd "$FT_SOURCE" # where models/ is

ask() { python3 -c 'import json,sys; d=json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$TMP/out" "$1"; }
check_of() { ask "[c['$2'] for c in d['checks'] if c['name']=='$1'][0]"; }
setting() { ask "[(s['value'],s['source']) for s in d['settings'] if s['key']=='$1'][0]"; }

# nothing is configured, nothing runs: that is no failure
exits 0 "$FRAUDTOP" doctor --json
same "schema" "$(ask "d['schema']")" doctor/1
same "model" "$(check_of model state)" ok
same "terminal" "$(check_of terminal state)" none
same "postgres" "$(check_of postgres state)" none
same "brokers" "$(setting service.brokers)" "('localhost:9092', 'built in')"

# what is configured and does not answer is, and both are asked at the same time
start=$SECONDS
exits 4 "$FRAUDTOP" doctor -b 127.0.0.1:1 -d "host=$TMP dbname=none" --json
check "doctor is quick" test $((SECONDS - start)) -le 4
same "kafka" "$(check_of kafka state)" failed
same "postgres" "$(check_of postgres state)" failed
check "a hint" test -n "$(check_of kafka hint)"
exits 2 "$FRAUDTOP" doctor -m "$TMP/nothing.cbm"
grep -q 'model  *failed' "$TMP/out" || fail "a missing model is not told"

# sources, and no secret anywhere
mkdir -p "$XDG_CONFIG_HOME/fraudtop"
printf '[replay]\nrate = 7\n[key]\nsecret = 00112233445566778899aabbccddeeff\n[kafka]\nsasl.password = hush\n' \
    >"$XDG_CONFIG_HOME/fraudtop/config"
chmod 600 "$XDG_CONFIG_HOME/fraudtop/config"
FRAUDTOP_LIMIT=9 FRAUDTOP_KAFKA_SSL_KEY_PASSWORD=hush PGPASSWORD=hush exits 0 "$FRAUDTOP" doctor --json --threshold 0.25
same "file" "$(setting replay.rate)" "('7', '$XDG_CONFIG_HOME/fraudtop/config:2')"
same "environment" "$(setting replay.limit)" "('9', 'FRAUDTOP_LIMIT')"
same "command line" "$(setting model.threshold)" "('0.25', '--threshold')"
! grep -qE 'hush|00112233' "$TMP/out" "$TMP/err" || fail "doctor shows a secret"
FRAUDTOP_KAFKA_SSL_KEY_PASSWORD=hush exits 0 "$FRAUDTOP" doctor
! grep -qE 'hush|00112233' "$TMP/out" "$TMP/err" || fail "doctor shows a secret"
check "secrets are hidden, not left out" grep -q 'kafka.sasl.password.*(hidden)' "$TMP/out"
chmod 644 "$XDG_CONFIG_HOME/fraudtop/config"
exits 0 "$FRAUDTOP" doctor
check "a file with secrets that others may read" grep -q 'others may read it' "$TMP/err"

# with real services, and other processes of the pipeline: the same secret or not
need_kafka
need_postgres
rm "$XDG_CONFIG_HOME/fraudtop/config"
exits 0 "$FRAUDTOP" doctor --json
same "kafka" "$(check_of kafka state)" ok
same "postgres" "$(check_of postgres state)" ok
if "$FRAUDTOP" score --help >/dev/null 2>&1; then
    bg "$FRAUDTOP" score -q
    alone() { "$FRAUDTOP" doctor --json >"$TMP/out" && case $(check_of key text) in *'same in all'*) ;; *) false ;; esac; }
    check "the scorer has our secret" within 30 alone
    same "key" "$(check_of key state)" ok
    FRAUDTOP_KEY_SECRET=00112233445566778899aabbccddeeff exits 2 "$FRAUDTOP" doctor --json
    same "another key" "$(check_of key state)" failed
fi
