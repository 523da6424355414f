/* What the sink copies from the control and status topics, so that who reads only the database sees the pipeline too. */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "pg_store.h"

#define STATUS_MS 5000

static enum ft_status put(struct ft_store *s, const char *sql, const char *key, const char *json,
                          int64_t at_ms, const char *what, struct ft_err *err)
{
    char at[24];
    const char *value[] = {key, json, at};
    struct ft_pg_params p = {.value = value, .n = 3};

    if (!s->conn)
        return ft_fail(err, FT_EUNREACHABLE, "postgresql: not connected");
    snprintf(at, sizeof(at), "%" PRId64, at_ms);
    return ft_pg_exec(s->conn, sql, &p, STATUS_MS, NULL, what, err);
}

enum ft_status ft_store_put_process(struct ft_store *s, const char *process, const char *json,
                                    int64_t at_ms, struct ft_err *err)
{
    /* The next one is due in a second: no batch of the sink should wait for this one's way to the disk.
     * A run may be done in a process that goes on. */
    static const char sql[] =
        "WITH beat AS MATERIALIZED (SELECT $2::jsonb AS j, to_timestamp($3::float8 / 1000) AS at,"
        "  set_config('synchronous_commit', 'off', true)),"
        " run AS (INSERT INTO fraudtop_runs (run, started_at, updated_at, ended_at, state, host, "
        "detail)"
        "  SELECT j #>> '{run,id}', to_timestamp((j #>> '{run,started_ms}')::float8 / 1000), at,"
        "   CASE WHEN ended THEN at END,"
        "   CASE WHEN ended AND state NOT IN ('gone', 'failed') THEN 'done' ELSE state END,"
        "   j ->> 'host', (j -> 'run') || jsonb_build_object('counters', j -> 'counters')"
        "  FROM beat, LATERAL (SELECT j ->> 'state' AS state, j #>> '{run,done}' = 'true'"
        "   OR j ->> 'state' IN ('gone', 'done', 'failed') AS ended) s"
        "  WHERE j #>> '{run,id}' IS NOT NULL"
        "  ON CONFLICT (run) DO UPDATE SET updated_at = excluded.updated_at,"
        "   ended_at = CASE WHEN excluded.ended_at IS NOT NULL"
        "    THEN coalesce(fraudtop_runs.ended_at, excluded.ended_at) END,"
        "   state = excluded.state, host = excluded.host,"
        "   detail = excluded.detail WHERE fraudtop_runs.updated_at <= excluded.updated_at),"
        " old AS (DELETE FROM fraudtop_processes WHERE seen_at < now() - interval '1 day') "
        "INSERT INTO fraudtop_processes (process, role, host, pid, state, started_at, seen_at, "
        "detail)"
        " SELECT $1, j ->> 'role', j ->> 'host', (j ->> 'pid')::int4, j ->> 'state',"
        "  to_timestamp((j ->> 'started_ms')::float8 / 1000), at, j FROM beat"
        " ON CONFLICT (process) DO UPDATE SET state = excluded.state, seen_at = excluded.seen_at,"
        "  started_at = excluded.started_at, detail = excluded.detail"
        " WHERE fraudtop_processes.seen_at <= excluded.seen_at";

    return put(s, sql, process, json, at_ms, "writing a heartbeat", err);
}

/* The same record comes from every sink, and again after each start: it is kept once. */
enum ft_status ft_store_put_in_force(struct ft_store *s, const char *kind, const char *json,
                                     int64_t at_ms, struct ft_err *err)
{
    static const char sql[] =
        "WITH r AS (SELECT $2::jsonb AS j, to_timestamp($3::float8 / 1000) AS at) "
        "INSERT INTO fraudtop_in_force (at, kind, value, who, note)"
        " SELECT at, $1, j, coalesce(j ->> 'who', session_user), j ->> 'note' FROM r"
        " WHERE NOT EXISTS (SELECT FROM fraudtop_in_force f, r"
        "  WHERE f.kind = $1 AND f.at = r.at AND f.value = r.j)";

    return put(s, sql, kind, json, at_ms, "writing what is in force", err);
}

enum ft_status ft_store_put_alert(struct ft_store *s, const char *kind, const char *message,
                                  int64_t at_ms, int64_t ended_ms, struct ft_err *err)
{
    static const char sql[] =
        "WITH a AS (SELECT $1::text AS kind, $4::text AS host, to_timestamp($3::float8 / 1000) AS "
        "at,"
        "  to_timestamp(nullif($5::float8, 0) / 1000) AS ended_at),"
        " u AS (UPDATE fraudtop_alerts t SET ended_at = a.ended_at, message = $2 FROM a"
        "  WHERE t.kind = a.kind AND t.host = a.host AND t.at = a.at RETURNING t.id) "
        "INSERT INTO fraudtop_alerts (kind, message, at, host, ended_at)"
        " SELECT kind, $2, at, host, ended_at FROM a WHERE NOT EXISTS (SELECT FROM u)";
    char at[24], ended[24], host[128] = "";
    const char *value[] = {kind, message, at, host, ended};
    struct ft_pg_params p = {.value = value, .n = 5};

    if (!s->conn)
        return ft_fail(err, FT_EUNREACHABLE, "postgresql: not connected");
    (void)gethostname(host, sizeof(host) - 1);
    snprintf(at, sizeof(at), "%" PRId64, at_ms);
    snprintf(ended, sizeof(ended), "%" PRId64, ended_ms);
    return ft_pg_exec(s->conn, sql, &p, STATUS_MS, NULL, "writing an alert", err);
}
