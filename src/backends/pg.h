/*
 * One PostgreSQL connection with time limits and errors in our terms.  Only src/backends/pg_*.c include this.
 */
#ifndef FT_PG_H
#define FT_PG_H

#include <libpq-fe.h>

#include "fraudtop/status.h"

/* What an SQLSTATE means: FT_EUNREACHABLE for classes 08, 40, 53, 57, 58 (trouble of the server: the same again,
 * later), FT_AGAIN for time limits, FT_EINPUT for 22, 23, 54 (the data), FT_EUSAGE for 28, 3D, 3F, 42 (rights, names,
 * shape), else FT_EFATAL. */
enum ft_status ft_pg_class(const char *sqlstate);

/*
 * Connects within timeout_ms.  A password in conninfo is refused: it would be seen by ps.  extra: keyword, value pairs
 * that override conninfo, ended by NULL; may be NULL.  Notices go to the log, nothing to standard error.
 */
enum ft_status ft_pg_connect(PGconn **out, const char *conninfo, const char *const *extra,
                             int timeout_ms, struct ft_err *err);

/* What to do with a result: its status, with the error's text in err.  FT_OK for tuples and commands. */
enum ft_status ft_pg_check(PGconn *conn, PGresult *res, const char *what, struct ft_err *err);

struct ft_pg_params {
    const char *const *value;
    const int *length, *format; /* NULL: all text */
    int n;
    bool binary_result;
};

/*
 * Runs a statement (sql), or a prepared one (name), and waits at most timeout_ms; when that passes the connection is of
 * no more use (FT_EUNREACHABLE).  *res may be NULL when the rows are not wanted; else the caller clears it.
 */
enum ft_status ft_pg_exec(PGconn *conn, const char *sql, const struct ft_pg_params *p,
                          int timeout_ms, PGresult **res, const char *what, struct ft_err *err);
enum ft_status ft_pg_exec_prepared(PGconn *conn, const char *name, const struct ft_pg_params *p,
                                   int timeout_ms, PGresult **res, const char *what,
                                   struct ft_err *err);
/* Prepared statements in one round trip and one transaction: all of them or none. */
struct ft_pg_call {
    const char *name;
    struct ft_pg_params params;
};
enum ft_status ft_pg_exec_together(PGconn *conn, const struct ft_pg_call *call, size_t n,
                                   int timeout_ms, const char *what, struct ft_err *err);
enum ft_status ft_pg_prepare(PGconn *conn, const char *name, const char *sql, int timeout_ms,
                             struct ft_err *err);

/* ---- schema (pg_schema.c) ---- */

struct ft_migration {
    int version;
    const char *name, *sql;
};
extern const struct ft_migration ft_migrations[]; /* made by cmake from schema/NNN_name.sql */
extern const int ft_n_migrations;

/* Brings the schema to our version, or finds it there; checks the shape of fraud_scores. */
enum ft_status ft_pg_schema(PGconn *conn, int timeout_ms, struct ft_err *err);
/* Makes cases of flagged rows that others wrote (pg_adopt.c) since the last time, and again_s seconds before it. */
enum ft_status ft_pg_adopt(PGconn *conn, int again_s, struct ft_err *err);

#endif
