/* A throw-away server for a test program, and questions to it. */
#ifndef FT_BACKEND_PG_TEST_H
#define FT_BACKEND_PG_TEST_H

#include <libpq-fe.h>
#include <unistd.h>

#include "fraudtop/store.h"
#include "ft_test.h"

struct pg_test {
    char dir[64];
    struct ft_pg *pg;
};

/* 0: started; else what main returns (skip or failure). */
static inline int pg_test_start(struct pg_test *t)
{
    struct ft_pg_opts opts = {.state_dir = t->dir, .throw_away = true};
    struct ft_err err;
    enum ft_status st;

    snprintf(t->dir, sizeof(t->dir), "/tmp/fraudtop-test-XXXXXX");
    if (!mkdtemp(t->dir))
        return 1;
    st = ft_pg_start(&t->pg, &opts, &err);
    if (st == FT_EUSAGE)
        return ft_test_skip(err.text);
    if (st != FT_OK)
        fprintf(stderr, "%s\n", err.text);
    return st == FT_OK ? 0 : 1;
}

static inline void pg_test_stop(struct pg_test *t)
{
    ft_pg_stop(t->pg);
    rmdir(t->dir);
}

/* Runs SQL; the first value of the answer as text, valid until the next call. */
static inline const char *pg_test_sql(const char *conninfo, const char *sql)
{
    static char value[8192];
    PGconn *conn = PQconnectdb(conninfo);
    PGresult *res;
    ExecStatusType s;

    PQclear(PQexec(conn, "SET client_min_messages = warning"));
    res = PQexec(conn, sql);
    s = PQresultStatus(res);
    if (s != PGRES_TUPLES_OK && s != PGRES_COMMAND_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(conn));
    snprintf(value, sizeof(value), "%s",
             s == PGRES_TUPLES_OK && PQntuples(res) ? PQgetvalue(res, 0, 0) : "");
    PQclear(res);
    PQfinish(conn);
    return value;
}

#endif
