# Kafka over SASL_SSL: the right certificate and password work, wrong ones are refused in plain words, nothing tells the secret.
. "$FT_SOURCE/tests/services.sh"
need java openssl

kafka() { "$FT_SOURCE/scripts/kafka-server" "$@" --port "$PORT" --dir "$TMP/kafka" --sasl alice --heap 300m -q; }
at_end() { kafka stop --timeout 10 >/dev/null 2>&1 || true; }
for _ in 1 2 3; do # HOME is the test's own: the cache of jars is not
    PORT=$((30000 + RANDOM % 2500))
    kafka start >"$TMP/start" 2>&1 && break
done
grep -q "127.0.0.1:$PORT" "$TMP/start" || skip "no Kafka: $(tail -n 1 "$TMP/start")"
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=other -keyout "$TMP/other.key" -out "$TMP/other.pem" 2>/dev/null

SECRET=$(cat "$TMP/kafka/tls/password")
WRONG=not-the-password-$RANDOM
export FRAUDTOP_BROKERS=127.0.0.1:$PORT FRAUDTOP_KAFKA_SECURITY_PROTOCOL=sasl_ssl FRAUDTOP_KAFKA_SASL_USERNAME=alice \
    FRAUDTOP_KAFKA_SSL_CA_LOCATION=$TMP/kafka/tls/ca.pem
says() { grep -qiE -- "$1" "$TMP/err" || fail "standard error does not say '$1': $(cat "$TMP/err")"; }
silent() { ! cat "$TMP"/all.* | grep -qF -e "$SECRET" -e "$WRONG" || fail "a secret was told: $(grep -lF -e "$SECRET" -e "$WRONG" "$TMP"/all.*)"; }
N=0
keep() { N=$((N + 1)); cat "$TMP/out" "$TMP/err" >"$TMP/all.$N"; }

for mechanism in PLAIN SCRAM-SHA-512; do
    export FRAUDTOP_KAFKA_SASL_MECHANISM=$mechanism
    FRAUDTOP_KAFKA_SASL_PASSWORD=$SECRET exits 0 "$FRAUDTOP" -vv topics list; keep
    FRAUDTOP_KAFKA_SASL_PASSWORD=$WRONG exits 2 "$FRAUDTOP" -vv topics list; keep
    says 'refused: SASL authentication error'
done
export FRAUDTOP_KAFKA_SASL_PASSWORD=$SECRET

# messages go through it
exits 0 "$FRAUDTOP" -vv replay "$FT_SOURCE/data/new_small.csv" --rate max --json; keep
same "sent" "$(sed -n 's/.*"acknowledged":\([0-9]*\).*/\1/p' "$TMP/out")" 90
exits 0 "$FRAUDTOP" topics tail transactions --limit 0 --json
same "received" "$(wc -l <"$TMP/out")" 90

# certificates
FRAUDTOP_KAFKA_SSL_CA_LOCATION=$TMP/other.pem exits 2 "$FRAUDTOP" topics list; keep
says 'refused: .*certificate'
FRAUDTOP_KAFKA_SSL_CA_LOCATION=$TMP/none.pem exits 2 "$FRAUDTOP" topics list; keep
says 'none.pem: No such file'
# the wrong protocol cannot be told from a broker that hangs up: the text says what to look at
FRAUDTOP_KAFKA_SECURITY_PROTOCOL=plaintext exits 4 "$FRAUDTOP" topics list --connect-timeout 2s; keep
says 'security.protocol'

# the secret on the command line is refused, and no output has it
exits 2 "$FRAUDTOP" topics list -X "sasl.password=$WRONG"
! grep -qF "$WRONG" "$TMP/out" "$TMP/err" || fail "-X sasl.password was repeated"
"$FRAUDTOP" doctor >"$TMP/out" 2>"$TMP/err" </dev/null || true; keep
silent
