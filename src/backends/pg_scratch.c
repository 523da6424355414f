/* A schema of one's own for a load test: what it stores is in nobody's way. */
#include <stdio.h>

#include "pg.h"
#include "pg_store.h"

static enum ft_status run(const char *conninfo, const char *sql, int timeout_ms, const char *what,
                          struct ft_err *err)
{
    PGconn *conn;
    enum ft_status st = ft_pg_connect(&conn, conninfo, NULL, timeout_ms, err);

    if (st != FT_OK)
        return st;
    st = ft_pg_exec(conn, sql, NULL, 60000, NULL, what, err);
    PQfinish(conn);
    return st;
}

enum ft_status ft_store_scratch_make(const char *conninfo, const char *schema, int timeout_ms,
                                     struct ft_err *err)
{
    char sql[256];

    snprintf(sql, sizeof(sql), "CREATE SCHEMA IF NOT EXISTS %s", schema);
    return run(conninfo, sql, timeout_ms, "making a schema for the load test", err);
}

enum ft_status ft_store_scratch_drop(const char *conninfo, const char *schema, int timeout_ms,
                                     struct ft_err *err)
{
    char sql[256];

    snprintf(sql, sizeof(sql), "DROP SCHEMA IF EXISTS %s CASCADE", schema);
    return run(conninfo, sql, timeout_ms, "dropping the load test's schema", err);
}
