/* Opening, closing, and the small questions of a writer.  The batch itself is pg_store_write.c. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fraudtop/log.h"
#include "pg_store.h"

static const enum ft_pg_type column_type[W_N] = {
    [W_CASE_ID] = FT_PG_UUID,
    [W_CASE_SCORE] = FT_PG_FLOAT8,
    [W_CASE_THRESHOLD] = FT_PG_FLOAT8,
    [W_CASE_AMOUNT] = FT_PG_NUMERIC,
    [W_CASE_MODEL] = FT_PG_INT4,
    [W_CASE_LABEL] = FT_PG_INT2,
    [W_CASE_FLAGGED] = FT_PG_BOOL,
    [W_CASE_SAMPLED] = FT_PG_BOOL,
    [W_CASE_DATA] = FT_PG_TEXT,
    [W_CASE_REASONS] = FT_PG_TEXT,
    [W_CASE_HISTORY] = FT_PG_TEXT,
    [W_CASE_USUAL] = FT_PG_TEXT,
    [W_CASE_FEATURES] = FT_PG_TEXT,
    [W_CASE_CHALLENGER] = FT_PG_TEXT,
    [W_SCORE] = FT_PG_FLOAT8,
    [W_FLAG] = FT_PG_INT4,
    [W_ID] = FT_PG_UUID,
    [W_AMOUNT] = FT_PG_NUMERIC,
    [W_LABEL] = FT_PG_INT2,
    [W_MODEL] = FT_PG_INT4,
    [W_CHALLENGER] = FT_PG_TEXT,
    [W_CELL] = FT_PG_INT2,
    [W_TOPIC] = FT_PG_TEXT,
    [W_PARTITION] = FT_PG_INT4,
    [W_NEXT_OFFSET] = FT_PG_INT8,
    [W_LAST_ID] = FT_PG_UUID,
    [W_CLUSTER] = FT_PG_TEXT,
    [W_GROUP] = FT_PG_TEXT,
    [W_COUNT_CELL] = FT_PG_INT2,
    [W_COUNT_N] = FT_PG_INT4,
    [W_COUNT_AMOUNT] = FT_PG_NUMERIC,
};

static enum ft_status connect_store(struct ft_store *s, int timeout_ms, struct ft_err *err)
{
    enum ft_status st = ft_pg_connect(&s->conn, s->conninfo, NULL, timeout_ms, err);

    s->prepared = false;
    s->clean = 0;
    s->n_model = 0; /* another database may number them differently */
    if (st == FT_OK && s->writer)
        st = ft_pg_schema(s->conn, timeout_ms, err);
    if (st != FT_OK) {
        PQfinish(s->conn);
        s->conn = NULL;
    }
    return st;
}

enum ft_status ft_store_open(struct ft_store **out, const char *conninfo, bool writer,
                             int timeout_ms, struct ft_err *err)
{
    struct ft_store *s = calloc(1, sizeof(*s));
    enum ft_status st;

    *out = NULL;
    if (!s)
        return ft_fail(err, FT_ENOMEM, "postgresql: no memory");
    s->writer = writer;
    s->conninfo = strdup(conninfo ? conninfo : "");
    s->counts = calloc(1, sizeof(*s->counts));
    for (int i = 0; i < W_N; i++)
        ft_pg_array_init(&s->column[i], column_type[i]);
    st = s->conninfo && s->counts ? connect_store(s, timeout_ms, err)
                                  : ft_fail(err, FT_ENOMEM, "postgresql: no memory");
    if (st != FT_OK) {
        ft_store_close(s);
        return st;
    }
    *out = s;
    return FT_OK;
}

void ft_store_close(struct ft_store *s)
{
    if (!s)
        return;
    PQfinish(s->conn);
    for (int i = 0; i < W_N; i++)
        ft_pg_array_fini(&s->column[i]);
    free(s->counts);
    free(s->order);
    free(s->conninfo);
    free(s);
}

#define OUTAGE_MS 1000 /* shorter ones are not told to the next shift */

enum ft_status ft_store_reconnect(struct ft_store *s, int timeout_ms, struct ft_err *err)
{
    int64_t since = s->lost_ms, now;
    enum ft_status st;

    PQfinish(s->conn);
    s->conn = NULL;
    st = connect_store(s, timeout_ms, err);
    now = ft_wall_ms();
    if (st == FT_OK && s->writer && since && now - since >= OUTAGE_MS) {
        s->lost_ms = 0;
        (void)ft_store_put_alert(s, "pg_down", "PostgreSQL could not be written to", since, now,
                                 NULL);
    }
    return st;
}

enum ft_status ft_store_offsets(struct ft_store *s, const char *cluster, const char *group,
                                const char *topic, int32_t partition, struct ft_store_offset *out,
                                struct ft_err *err)
{
    char number[16];
    const char *value[] = {cluster, group, topic, number};
    struct ft_pg_params p = {.value = value, .n = 4};
    PGresult *res;
    enum ft_status st;

    snprintf(number, sizeof(number), "%" PRId32, partition);
    st = ft_pg_exec(s->conn,
                    "SELECT next_offset, last_id FROM fraudtop_sink_offsets WHERE cluster_id = $1"
                    " AND group_id = $2 AND topic = $3 AND partition = $4::int4",
                    &p, FT_PG_WRITE_MS, &res, "reading the sink's offset", err);
    if (st != FT_OK)
        return st;
    *out = (struct ft_store_offset){.topic = topic, .partition = partition};
    if (PQntuples(res) == 0) {
        st = FT_END;
    } else {
        out->next_offset = strtoll(PQgetvalue(res, 0, 0), NULL, 10);
        if (!PQgetisnull(res, 0, 1))
            (void)ft_uuid_parse(&out->last_id, ft_span_of(PQgetvalue(res, 0, 1)));
    }
    PQclear(res);
    return st;
}

enum ft_status ft_store_count_run(struct ft_store *s, const struct ft_run *run,
                                  struct ft_run_count *out, struct ft_err *err)
{
    static const char sql[] =
        "SELECT count(*), count(*) FILTER (WHERE fraud_flag = 1),"
        " count(*) FILTER (WHERE fraud_flag = 1 AND label = 1),"
        " count(*) FILTER (WHERE fraud_flag = 1 AND label = 0),"
        " count(*) FILTER (WHERE fraud_flag <> 1 AND label = 0),"
        " count(*) FILTER (WHERE fraud_flag <> 1 AND label = 1)"
        " FROM fraud_scores LEFT JOIN fraudtop_verdicts USING (transaction_id)"
        " WHERE transaction_id BETWEEN $1::uuid AND $2::uuid";
    char lo[FT_UUID_TEXT + 1], hi[FT_UUID_TEXT + 1];
    const char *value[] = {lo, hi};
    struct ft_pg_params p = {.value = value, .n = 2};
    uint64_t *const field[] = {&out->stored, &out->flagged, &out->tp, &out->fp, &out->tn, &out->fn};
    struct ft_uuid first, last;
    PGresult *res;
    enum ft_status st;

    ft_run_range(run, &first, &last);
    ft_uuid_format(&first, lo);
    ft_uuid_format(&last, hi);
    st = ft_pg_exec(s->conn, sql, &p, 600000, &res, "counting the run's rows", err);
    if (st != FT_OK)
        return st;
    for (int i = 0; i < 6; i++)
        *field[i] = strtoull(PQgetvalue(res, 0, i), NULL, 10);
    PQclear(res);
    return FT_OK;
}
