# PostgreSQL over TLS with verification: a sink stores with the right certificate and password; wrong ones end it with 2 and words
# that say what to mend; nothing tells the password.
# ctest: timeout 300
. "$FT_SOURCE/tests/services.sh"
. "$FT_SOURCE/tests/integration/pipeline.sh"
. "$FT_SOURCE/tests/integration/certificates.sh"
. "$FT_SOURCE/tests/faults/servers.sh"
need openssl
need_kafka
PGDIR=$(mktemp -d /tmp/fraudtop-pg.XXXXXX)
mkdir "$PGDIR/tls"
authority "$PGDIR/tls"
mkdir "$TMP/other"
authority "$TMP/other"
chmod 755 "$PGDIR" "$PGDIR/tls"
certificate() { # NAMES [expired]
    signed "$PGDIR/tls" "$@"
    chmod 600 "$PGDIR/tls/server.key"
    [ "$(id -u)" != 0 ] || chown postgres "$PGDIR/tls/server.key" "$PGDIR/tls/server.crt"
}
certificate IP:127.0.0.1
for _ in 1 2 3; do
    PORT=$((21000 + RANDOM % 9000))
    (exec 3<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null || break
done
PGSET="-c listen_addresses=127.0.0.1 -c ssl=on -c ssl_cert_file=$PGDIR/tls/server.crt -c ssl_key_file=$PGDIR/tls/server.key -c password_encryption=scram-sha-256 -c port=$PORT"
export PGPORT=$PORT
own_postgres "$PGDIR"
SECRET=right-$RANDOM$RANDOM WRONG=wrong-$RANDOM$RANDOM
sql "CREATE ROLE fraud LOGIN PASSWORD '$SECRET'; ALTER DATABASE fraud OWNER TO fraud; GRANT ALL ON SCHEMA public TO fraud"
printf 'local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n' >"$PGDIR/data/pg_hba.conf"
sql "SELECT pg_reload_conf()" >/dev/null

N=0
keep() { N=$((N + 1)); cat "$TMP/out" "$TMP/err" >"$TMP/all.$N"; }
says() { grep -qiE -- "$1" "$TMP/err" || fail "standard error does not say '$1': $(cat "$TMP/err")"; }
to() { echo "host=${HOST:-127.0.0.1} port=$PORT dbname=${NAME:-fraud} user=${WHO:-fraud} sslmode=verify-full sslrootcert=${CA:-$PGDIR/tls/ca.pem}"; }
refused() { exits 2 timeout 60 "$FRAUDTOP" -vv sink -d "$(to)" --connect-timeout 10s; keep; }

export PGPASSWORD=$SECRET
unset FRAUDTOP_DATABASE
"$FRAUDTOP" -vv sink -d "$(to)" >"$TMP/all.sink" 2>&1 </dev/null & pid=$!
BG+=("$pid")
member score "$FRAUDTOP" score
exits 0 "$FRAUDTOP" replay "$FT_SOURCE/data/new_small.csv" --rate max; keep
within 60 has_rows 90 || fail "$(rows) rows over TLS: $(tail -n 3 "$TMP/all.sink")"
same "encrypted connections" "$(sql "SELECT count(*) > 0 FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE ssl AND usename = 'fraud'")" t
! tr '\0' '\n' <"/proc/$pid/cmdline" | grep -qF "$SECRET" || fail "ps shows the password"
kill -TERM "$pid"
ENDED=0
wait "$pid" || ENDED=$?
same "sink" "$ENDED" 143

PGPASSWORD=$WRONG refused
says 'password authentication failed'
PGPASSWORD='' refused
says 'no password supplied'
CA=$TMP/other/ca.pem refused
says 'certificate verify failed .*sslrootcert'
CA=$TMP/none.pem refused
says 'none.pem'
HOST=localhost refused
says 'certificate.*(localhost|host name)'
NAME=nowhere refused
says 'nowhere'
exits 2 "$FRAUDTOP" sink -d "$(to) password=$WRONG"; keep
! grep -qF "$WRONG" "$TMP/out" "$TMP/err" || fail "-d password= was repeated"
rm "$TMP/all.$N"
exits 2 "$FRAUDTOP" sink -d "postgresql://fraud:$WRONG@127.0.0.1:$PORT/fraud"; keep
"$FRAUDTOP" doctor -d "$(to)" >"$TMP/out" 2>"$TMP/err" </dev/null || true; keep

certificate IP:127.0.0.1 expired
sql "SELECT pg_reload_conf()" >/dev/null
sleep 1
refused
says 'certificate verify failed .*its time is over'

! grep -lF -e "$SECRET" -e "$WRONG" "$TMP"/all.* || fail "a password was told"
