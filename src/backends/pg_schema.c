#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fraudtop/log.h"
#include "pg.h"

#define LOCK "7234019283101" /* advisory: schema of fraudtop */
#define MIGRATE_MS 600000
#define BIG_ROWS 1000000 /* from here on an index is the owner's decision */

static enum ft_status simple(PGconn *conn, const char *sql, int timeout_ms, const char *what,
                             struct ft_err *err)
{
    return ft_pg_exec(conn, sql, NULL, timeout_ms, NULL, what, err);
}

/* One text value of a query; *out is empty for NULL or no row. */
static enum ft_status one_value(PGconn *conn, const char *sql, int timeout_ms, const char *what,
                                char *out, size_t size, struct ft_err *err)
{
    PGresult *res;
    enum ft_status st = ft_pg_exec(conn, sql, NULL, timeout_ms, &res, what, err);

    if (st != FT_OK)
        return st;
    snprintf(out, size, "%s", PQntuples(res) ? PQgetvalue(res, 0, 0) : "");
    PQclear(res);
    return FT_OK;
}

/* Each row of the answer is one thing that is wrong. */
static const char shape_sql[] =
    "WITH t AS (SELECT 'fraud_scores'::regclass AS oid),"
    " want(name, type, not_null) AS (VALUES ('transaction_id', 'uuid', true),"
    "  ('score', 'double precision', true), ('fraud_flag', 'integer', true),"
    "  ('scored_at', 'timestamp with time zone', false)),"
    " have AS (SELECT attname::text AS name, format_type(atttypid, NULL) AS type, attnotnull,"
    "  atthasdef, attidentity <> '' AS ident FROM pg_attribute, t"
    "  WHERE attrelid = t.oid AND attnum > 0 AND NOT attisdropped) "
    "SELECT 'column ' || name || ' (' || want.type || ') is missing'"
    "  FROM want LEFT JOIN have USING (name) WHERE have.type IS NULL "
    "UNION ALL SELECT 'column ' || name || ' is ' || have.type || ', not ' || want.type"
    "  FROM want JOIN have USING (name) WHERE have.type <> want.type "
    "UNION ALL SELECT 'column ' || name || ' is not NOT NULL'"
    "  FROM want JOIN have USING (name) WHERE want.not_null AND NOT attnotnull "
    "UNION ALL SELECT 'column scored_at has no DEFAULT now()'"
    "  FROM have WHERE name = 'scored_at' AND NOT atthasdef "
    "UNION ALL SELECT 'column ' || name || ' is NOT NULL and unknown to us'"
    "  FROM have WHERE name NOT IN (SELECT name FROM want) AND attnotnull AND NOT atthasdef"
    "  AND NOT ident "
    "UNION ALL SELECT 'it is no table' FROM pg_class, t WHERE pg_class.oid = t.oid"
    "  AND relkind NOT IN ('r', 'p') "
    "UNION ALL SELECT 'transaction_id is not the PRIMARY KEY' FROM t WHERE NOT EXISTS ("
    "  SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid"
    "  WHERE i.indrelid = t.oid AND i.indisunique AND i.indpred IS NULL AND i.indnkeyatts = 1"
    "  AND a.attnum = i.indkey[0] AND a.attname = 'transaction_id')";

static enum ft_status check_shape(PGconn *conn, int timeout_ms, struct ft_err *err)
{
    PGresult *res;
    char text[300] = "";
    size_t n = 0;
    enum ft_status st =
        ft_pg_exec(conn, shape_sql, NULL, timeout_ms, &res, "looking at fraud_scores", err);

    if (st != FT_OK)
        return st;
    for (int i = 0; i < PQntuples(res) && n < sizeof(text) - 1; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", i ? ", " : "",
                              PQgetvalue(res, i, 0));
    if (PQntuples(res))
        st = ft_fail(err, FT_EUSAGE,
                     "table fraud_scores has another shape: %s; rename it or name another database",
                     text);
    PQclear(res);
    return st;
}

/* Rising, though it is read backwards: rows come with rising times, and what goes to the right end is found at once. */
static const struct {
    const char *name, *sql;
} indexes[] = {
    {"fraud_scores_recent", "ON fraud_scores (scored_at)"                          },
    {"fraud_scores_frauds", "ON fraud_scores (scored_at DESC) WHERE fraud_flag = 1"},
};

/* On a big table an index would block writers, and somebody else's table is not ours to add one: say the command instead. */
static enum ft_status make_indexes(PGconn *conn, int timeout_ms, struct ft_err *err)
{
    char rows[32], there[8], sql[256];
    enum ft_status st;

    st = one_value(conn,
                   "SELECT CASE WHEN pg_has_role(relowner, 'USAGE') THEN reltuples::bigint"
                   " ELSE 9e15::bigint END FROM pg_class WHERE oid = 'fraud_scores'::regclass",
                   timeout_ms, "looking at fraud_scores", rows, sizeof(rows), err);
    for (size_t i = 0; st == FT_OK && i < sizeof(indexes) / sizeof(indexes[0]); i++) {
        snprintf(sql, sizeof(sql), "SELECT 1 FROM pg_class WHERE oid = to_regclass('%s')",
                 indexes[i].name);
        st = one_value(conn, sql, timeout_ms, "looking at indexes", there, sizeof(there), err);
        if (st != FT_OK || *there)
            continue;
        if (strtoll(rows, NULL, 10) > BIG_ROWS) {
            ft_log(
                FT_WARN, "pg",
                "index %s is missing, the console will be slow; have its owner run: CREATE INDEX "
                "CONCURRENTLY %s %s",
                indexes[i].name, indexes[i].name, indexes[i].sql);
            continue;
        }
        snprintf(sql, sizeof(sql), "CREATE INDEX IF NOT EXISTS %s %s", indexes[i].name,
                 indexes[i].sql);
        st = simple(conn, sql, timeout_ms, "making an index", err);
    }
    return st;
}

static enum ft_status version(PGconn *conn, int timeout_ms, int *out, struct ft_err *err)
{
    char text[32];
    enum ft_status st;

    *out = 0;
    st = one_value(conn, "SELECT 1 FROM pg_class WHERE oid = to_regclass('fraudtop_schema')",
                   timeout_ms, "looking for our tables", text, sizeof(text), err);
    if (st != FT_OK || !*text)
        return st;
    st = one_value(conn, "SELECT coalesce(max(version), 0) FROM fraudtop_schema", timeout_ms,
                   "reading the schema's version", text, sizeof(text), err);
    *out = (int)strtol(text, NULL, 10);
    return st;
}

static enum ft_status apply(PGconn *conn, const struct ft_migration *m, int timeout_ms,
                            struct ft_err *err)
{
    char sql[200];
    /* Indexes of a big table take their time; given up, they would only be begun again. */
    enum ft_status st =
        simple(conn, m->sql, timeout_ms < MIGRATE_MS ? MIGRATE_MS : timeout_ms, m->name, err);

    if (st != FT_OK)
        return st;
    snprintf(sql, sizeof(sql), "INSERT INTO fraudtop_schema (version, name) VALUES (%d, '%s')",
             m->version, m->name);
    return simple(conn, sql, timeout_ms, m->name, err);
}

/* Inside a transaction that holds the lock. */
static enum ft_status migrate(PGconn *conn, int timeout_ms, struct ft_err *err)
{
    static const char base[] = "CREATE TABLE IF NOT EXISTS fraud_scores ("
                               " transaction_id uuid PRIMARY KEY,"
                               " score double precision NOT NULL,"
                               " fraud_flag integer NOT NULL,"
                               " scored_at timestamptz DEFAULT now());"
                               "CREATE TABLE IF NOT EXISTS fraudtop_schema ("
                               " version integer PRIMARY KEY, name text NOT NULL,"
                               " applied_at timestamptz NOT NULL DEFAULT now())";
    enum ft_status st = simple(conn, base, timeout_ms, "making tables", err);
    int have = 0;

    if (st == FT_OK)
        st = check_shape(conn, timeout_ms, err);
    if (st == FT_OK)
        st = make_indexes(conn, timeout_ms, err);
    if (st == FT_OK)
        st = version(conn, timeout_ms, &have, err);
    for (int i = have; st == FT_OK && i < ft_n_migrations; i++)
        st = apply(conn, &ft_migrations[i], timeout_ms, err);
    return st;
}

static enum ft_status try_with_lock(PGconn *conn, int timeout_ms, struct ft_err *err)
{
    enum ft_status st =
        simple(conn,
               "BEGIN READ WRITE; SELECT pg_advisory_xact_lock(" LOCK
               "); SET LOCAL statement_timeout = 0; SET LOCAL client_min_messages = "
               "warning",
               timeout_ms, "waiting for the schema's lock", err);

    if (st == FT_OK)
        st = migrate(conn, timeout_ms, err);
    if (st == FT_OK)
        st = simple(conn, "COMMIT", timeout_ms, "making the schema", err);
    if (st == FT_OK) {
        ft_log(FT_INFO, "pg", "schema: version %d", ft_n_migrations);
        return FT_OK;
    }
    (void)simple(conn, "ROLLBACK", timeout_ms, "rollback", NULL);
    return st;
}

/* Somebody else's CREATE TABLE IF NOT EXISTS at the same moment ends in a unique violation of the catalogue: once more. */
static enum ft_status with_lock(PGconn *conn, int timeout_ms, struct ft_err *err)
{
    enum ft_status st = try_with_lock(conn, timeout_ms, err);

    return st == FT_EINPUT ? try_with_lock(conn, timeout_ms, err) : st;
}

enum ft_status ft_pg_schema(PGconn *conn, int timeout_ms, struct ft_err *err)
{
    char table[8];
    int have = 0;
    enum ft_status st = version(conn, timeout_ms, &have, err);

    if (st == FT_OK)
        st = one_value(conn, "SELECT 1 FROM pg_class WHERE oid = to_regclass('fraud_scores')",
                       timeout_ms, "looking for fraud_scores", table, sizeof(table), err);
    if (st == FT_OK && have == ft_n_migrations && *table)
        return check_shape(conn, timeout_ms, err); /* nothing to make: no rights needed */
    if (st == FT_OK && have > ft_n_migrations)
        return ft_fail(err, FT_EUSAGE,
                       "the database's schema is version %d, this program knows %d: use a newer "
                       "fraudtop",
                       have, ft_n_migrations);
    if (st == FT_OK)
        st = with_lock(conn, timeout_ms < 60000 ? 60000 : timeout_ms, err);
    return st;
}
