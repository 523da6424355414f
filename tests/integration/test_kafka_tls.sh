# Kafka over SASL_SSL: the right certificate and password work, wrong ones are refused in plain words, nothing tells the secret.
# ctest: timeout 400
. "$FT_SOURCE/tests/services.sh"
. "$FT_SOURCE/tests/integration/certificates.sh"
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
says 'refused: .*authority that ssl.ca.location does not name|signed by itself'
FRAUDTOP_KAFKA_SSL_CA_LOCATION=$TMP/none.pem exits 2 "$FRAUDTOP" topics list; keep
says 'none.pem: No such file'
# the wrong protocol cannot be told from a broker that hangs up: the text says what to look at
FRAUDTOP_KAFKA_SECURITY_PROTOCOL=plaintext exits 4 "$FRAUDTOP" topics list --connect-timeout 2s; keep
says 'security.protocol'

# the server shows another name's certificate, or one whose time is over: what to look at is said
authority "$TMP/kafka/tls"
kafka_with() { # NAMES [expired]
    signed "$TMP/kafka/tls" "$@"
    (cd "$TMP/kafka/tls" && cat server.key server.crt ca.pem >server.pem)
    kafka restart >>"$TMP/start" 2>&1 || fail "Kafka does not start again: $(tail -n 3 "$TMP/start")"
}
kafka_with DNS:elsewhere.example
exits 2 "$FRAUDTOP" -vv topics list; keep
says 'refused: .*certificate is for another (host name|address)'
exits 2 "$FRAUDTOP" score --connect-timeout 20s; keep
says 'refused: .*certificate is for another (host name|address)'
kafka_with IP:127.0.0.1 expired
exits 2 "$FRAUDTOP" -vv topics list; keep
says 'refused: .*certificate has expired'
kafka_with IP:127.0.0.1
exits 0 "$FRAUDTOP" -vv topics list; keep

# a running stage shows nothing of the secret in its arguments
"$FRAUDTOP" -vv score >"$TMP/all.score" 2>&1 </dev/null & pid=$!
BG+=("$pid")
sleep 3
! tr '\0' '\n' <"/proc/$pid/cmdline" | grep -qF "$SECRET" || fail "ps shows the secret"
kill -TERM "$pid"
wait "$pid" || true

# the secret on the command line is refused, and no output has it
exits 2 "$FRAUDTOP" topics list -X "sasl.password=$WRONG"
! grep -qF "$WRONG" "$TMP/out" "$TMP/err" || fail "-X sasl.password was repeated"
"$FRAUDTOP" doctor >"$TMP/out" 2>"$TMP/err" </dev/null || true; keep
silent
