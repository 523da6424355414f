# The services of the tests themselves: a broker that answers, a database of this test's own.
. "$FT_SOURCE/tests/services.sh"
need_kafka
need_postgres
check "the broker answers on $BROKERS" within 5 bash -c "exec 3<>/dev/tcp/${BROKERS%:*}/${BROKERS#*:}"
same "a fresh database" "$(sql 'SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()')" 0
