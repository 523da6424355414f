/* The batch: one statement, so one transaction and one round trip. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fraudtop/hist.h"
#include "fraudtop/log.h"
#include "pg_store.h"

/*
 * Two statements for the same: the careful one looks for ids that are there already, and counts and keeps only what
 * belongs to new ones; the fast one takes all for new and fails as a whole when one is not (it saves two fifths of the
 * server's time).  Repeats come in runs, after a restart or a rebalance: fast only after some careful batches without.
 * Array parameters are estimated at ten rows; hence no nested loops below.
 */
#define CLEAN_BATCHES 8
#define FOLD_BATCHES 64

#define INPUT                                                                                      \
    "WITH input AS (SELECT *, (nullif(cell / 2000 % 3, 0) - 1)::int2 AS label"                     \
    "  FROM unnest($1::uuid[], $2::float8[], $3::int4[], $4::int2[], $5::numeric[], $6::int4[],"   \
    "   $7::text[]) AS t(id, score, flag, cell, amount, model, challenger)),"                      \
    " new AS (INSERT INTO fraud_scores (transaction_id, score, fraud_flag)"                        \
    "  SELECT id, score, flag FROM input "
#define KEPT                                                                                       \
    " kept AS (INSERT INTO fraudtop_verdicts (transaction_id, amount, label, model, challenger)"   \
    "  SELECT id, amount, label, model, challenger::jsonb FROM fresh "
#define FOUND                                                                                      \
    " found AS (INSERT INTO fraudtop_cases (transaction_id, score, threshold, scored_at, amount,"  \
    "   model, label, flagged, sampled, data, reasons, history, usual, features, challenger)"      \
    "  SELECT id, score, threshold, now(), amount, model, label, flag = 1, sampled, data::jsonb,"  \
    "   reasons::jsonb, history::jsonb, usual::jsonb, features::jsonb, challenger::jsonb"          \
    "  FROM unnest($8::uuid[], $9::bool[], $10::float8[], $11::text[], $12::text[], $13::text[],"  \
    "   $14::text[], $15::text[])"                                                                 \
    "   AS c(id, sampled, threshold, data, reasons, history, usual, features)"                     \
    "  JOIN fresh USING (id) "
#define MOVED                                                                                      \
    " moved AS (INSERT INTO fraudtop_sink_offsets"                                                 \
    "   (cluster_id, group_id, topic, partition, next_offset, last_id)"                            \
    "  SELECT $20, $21, * FROM unnest($16::text[], $17::int4[], $18::int8[], $19::uuid[])"         \
    "  ON CONFLICT (cluster_id, group_id, topic, partition) DO UPDATE"                             \
    "  SET next_offset = excluded.next_offset, last_id = excluded.last_id) "
#define HOUR "floor(extract(epoch FROM now()) / 3600)::int4"
#define SKIP "ON CONFLICT (transaction_id) DO NOTHING"

static const char careful_sql[] = INPUT SKIP
    " RETURNING transaction_id AS id),"
    " fresh AS MATERIALIZED (SELECT input.* FROM new JOIN input USING (id))," KEPT SKIP "),"
    " counts AS (SELECT cell, count(*)::int4 AS n, coalesce(sum(amount), 0) AS amount"
    "  FROM fresh GROUP BY cell),"
    " delta AS (INSERT INTO fraudtop_score_deltas (hour, cell, n, amount)"
    "  SELECT " HOUR ", array_agg(cell), array_agg(n), array_agg(amount) FROM counts"
    "  HAVING count(*) > 0)," FOUND SKIP ")," MOVED "SELECT count(*) FROM new";

static const char fast_sql[] =
    INPUT "), fresh AS NOT MATERIALIZED (SELECT * FROM input)," KEPT "),"
          " delta AS (INSERT INTO fraudtop_score_deltas (hour, cell, n, amount)"
          "  SELECT " HOUR ", $22::int2[], $23::int4[], $24::numeric[])," FOUND ")," MOVED
          "SELECT cardinality($1)";

/* Counts of the batches into hours and totals; one program at a time. */
static const char fold_sql[] =
    "WITH ok AS MATERIALIZED (SELECT pg_try_advisory_xact_lock(7234019283102) AS got),"
    " d AS (DELETE FROM fraudtop_score_deltas WHERE (SELECT got FROM ok)"
    "  RETURNING hour, cell, n, amount),"
    " c AS MATERIALIZED (SELECT hour, u.cell, sum(u.n)::int8 AS n, sum(u.amount) AS amount"
    "  FROM d, unnest(d.cell, d.n, d.amount) AS u(cell, n, amount) GROUP BY 1, 2),"
    " h AS (INSERT INTO fraudtop_score_hours AS o (hour, cell, n, amount) SELECT * FROM c"
    "  ON CONFLICT (hour, cell) DO UPDATE"
    "  SET n = o.n + excluded.n, amount = o.amount + excluded.amount) "
    "INSERT INTO fraudtop_score_totals AS o (part, n, amount)"
    " SELECT cell / 2000, sum(n), sum(amount) FROM c GROUP BY 1"
    " ON CONFLICT (part) DO UPDATE SET n = o.n + excluded.n, amount = o.amount + excluded.amount";

static enum ft_status prepare(struct ft_store *s, struct ft_err *err)
{
    enum ft_status st;

    if (s->prepared)
        return FT_OK;
    st = ft_pg_exec(s->conn,
                    "SET enable_nestloop = off; SET jit = off; SET plan_cache_mode = "
                    "force_generic_plan",
                    NULL, FT_PG_WRITE_MS, NULL, "settings", err);
    if (st == FT_OK)
        st = ft_pg_prepare(s->conn, "careful", careful_sql, FT_PG_WRITE_MS, err);
    if (st == FT_OK)
        st = ft_pg_prepare(s->conn, "fast", fast_sql, FT_PG_WRITE_MS, err);
    s->prepared = st == FT_OK;
    return st;
}

/* The number of a model's name, made when it is new; 0: no name. */
static enum ft_status model_number(struct ft_store *s, struct ft_span name, int32_t *out,
                                   struct ft_err *err)
{
    static const char sql[] =
        "WITH made AS (INSERT INTO fraudtop_models (name) SELECT $1 WHERE NOT EXISTS"
        " (SELECT FROM fraudtop_models WHERE name = $1) ON CONFLICT DO NOTHING RETURNING model)"
        " SELECT model FROM made UNION ALL SELECT model FROM fraudtop_models WHERE name = $1";
    char text[sizeof(s->model[0].name)];
    const char *value[] = {text};
    struct ft_pg_params p = {.value = value, .n = 1};
    PGresult *res;
    enum ft_status st;
    size_t slot;

    *out = 0;
    if (name.n == 0)
        return FT_OK;
    if (name.n >= sizeof(text))
        name.n = sizeof(text) - 1;
    for (size_t i = 0; i < s->n_model; i++)
        if (ft_span_is(name, s->model[i].name)) {
            *out = s->model[i].number;
            return FT_OK;
        }
    snprintf(text, sizeof(text), "%.*s", (int)name.n, name.p);
    st = ft_pg_exec(s->conn, sql, &p, FT_PG_WRITE_MS, &res, "numbering the model", err);
    if (st != FT_OK)
        return st;
    if (PQntuples(res) == 0) { /* somebody else made it at this moment */
        PQclear(res);
        return model_number(s, name, out, err);
    }
    *out = (int32_t)strtol(PQgetvalue(res, 0, 0), NULL, 10);
    PQclear(res);
    slot = s->n_model < FT_PG_MODELS ? s->n_model++ : 0;
    memcpy(s->model[slot].name, text, sizeof(text));
    s->model[slot].number = *out;
    return FT_OK;
}

/* ---- the arrays ---------------------------------------------------------------------------------------- */

struct sort_key {
    struct ft_uuid id;
    uint32_t at; /* equal ids stay in the order of arrival: the first verdict wins */
};

static int by_id(const void *a, const void *b)
{
    const struct sort_key *x = a, *y = b;
    int c = ft_uuid_cmp(&x->id, &y->id);

    return c ? c : (x->at > y->at) - (x->at < y->at);
}

/* Positions in the batch by id, without repeats; sorted, so that two sinks with overlapping batches do not wait for
 * each other crosswise. */
static bool sort_batch(struct ft_store *s, const struct ft_verdict *v, size_t n, size_t *n_out)
{
    struct sort_key *k = s->order;
    size_t kept = 0;
    bool sorted = true;

    if (n > s->order_cap) {
        k = realloc(k, n * sizeof(*k));
        if (!k)
            return false;
        s->order = k;
        s->order_cap = n;
    }
    for (size_t i = 0; i < n; i++) {
        k[i] = (struct sort_key){v[i].id, (uint32_t)i};
        sorted = sorted && (i == 0 || ft_uuid_cmp(&v[i - 1].id, &v[i].id) < 0);
    }
    if (!sorted)
        qsort(k, n, sizeof(*k), by_id);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || ft_uuid_cmp(&k[kept - 1].id, &k[i].id) != 0)
            k[kept++] = k[i];
    *n_out = kept;
    return true;
}

static void add_text(struct ft_pg_array *a, struct ft_span text)
{
    if (text.n)
        ft_pg_array_text(a, text);
    else
        ft_pg_array_null(a);
}

static void add_case(struct ft_store *s, const struct ft_verdict *v)
{
    ft_pg_array_uuid(&s->column[W_CASE_ID], &v->id);
    ft_pg_array_int(&s->column[W_CASE_SAMPLED], v->sampled);
    if (v->has_threshold)
        ft_pg_array_double(&s->column[W_CASE_THRESHOLD], v->threshold);
    else
        ft_pg_array_null(&s->column[W_CASE_THRESHOLD]);
    add_text(&s->column[W_CASE_DATA], v->data_json);
    add_text(&s->column[W_CASE_REASONS], v->reasons_json);
    add_text(&s->column[W_CASE_HISTORY], v->history_json);
    add_text(&s->column[W_CASE_USUAL], v->usual_json);
    add_text(&s->column[W_CASE_FEATURES], v->features_json);
}

static void count_row(struct cell_counts *c, size_t cell, struct ft_span amount)
{
    int64_t fixed = 0;

    if (amount.n && !ft_pg_fixed(amount, &fixed))
        c->exact = false;
    if (c->n[cell]++ == 0)
        c->used[c->n_used++] = (uint16_t)cell;
    c->amount[cell] += fixed;
}

static enum ft_status add_row(struct ft_store *s, const struct ft_verdict *v, bool challenged,
                              struct ft_err *err)
{
    size_t part = (size_t)((v->flag == 1 ? 3 : 0) + v->label + 1);
    size_t cell = part * FT_SCORE_BINS + ft_score_bin(v->score, FT_SCORE_BINS);
    int32_t model;
    enum ft_status st = model_number(s, v->model, &model, err);

    if (st != FT_OK)
        return st;
    ft_pg_array_uuid(&s->column[W_ID], &v->id);
    ft_pg_array_double(&s->column[W_SCORE], v->score);
    ft_pg_array_int(&s->column[W_FLAG], v->flag);
    ft_pg_array_int(&s->column[W_CELL], (int64_t)cell);
    ft_pg_array_numeric(&s->column[W_AMOUNT], v->amount);
    if (model)
        ft_pg_array_int(&s->column[W_MODEL], model);
    else
        ft_pg_array_null(&s->column[W_MODEL]);
    if (challenged)
        add_text(&s->column[W_CHALLENGER], v->challenger_json);
    if (v->flag == 1 || v->sampled)
        add_case(s, v);
    count_row(s->counts, cell, v->amount);
    return FT_OK;
}

static void add_counts(struct ft_store *s)
{
    struct cell_counts *c = s->counts;

    for (size_t i = 0; i < c->n_used; i++) {
        size_t cell = c->used[i];
        long long v = c->amount[cell], u = v < 0 ? -v : v;
        char text[32];
        int n =
            snprintf(text, sizeof(text), "%s%lld.%04lld", v < 0 ? "-" : "", u / 10000, u % 10000);

        ft_pg_array_int(&s->column[W_COUNT_CELL], (int64_t)cell);
        ft_pg_array_int(&s->column[W_COUNT_N], c->n[cell]);
        ft_pg_array_numeric(&s->column[W_COUNT_AMOUNT], (struct ft_span){text, (size_t)n});
        c->n[cell] = 0;
        c->amount[cell] = 0;
    }
    c->n_used = 0;
}

static void add_offset(struct ft_store *s, const struct ft_store_offset *o)
{
    static const struct ft_uuid none;

    ft_pg_array_text(&s->column[W_TOPIC], ft_span_of(o->topic));
    ft_pg_array_int(&s->column[W_PARTITION], o->partition);
    ft_pg_array_int(&s->column[W_NEXT_OFFSET], o->next_offset);
    if (ft_uuid_cmp(&o->last_id, &none) != 0)
        ft_pg_array_uuid(&s->column[W_LAST_ID], &o->last_id);
    else
        ft_pg_array_null(&s->column[W_LAST_ID]);
}

static enum ft_status fill(struct ft_store *s, const struct ft_verdict *v, size_t n,
                           const struct ft_store_offset *off, size_t n_off, size_t *rows,
                           struct ft_err *err)
{
    enum ft_status st = FT_OK;
    bool challenged = false;

    if (!sort_batch(s, v, n, rows))
        return ft_fail(err, FT_ENOMEM, "postgresql: no memory for a batch of %zu rows", n);
    for (int i = 0; i < W_N; i++)
        ft_pg_array_begin(&s->column[i]);
    s->counts->exact = true;
    for (size_t i = 0; i < n && !challenged; i++)
        challenged = v[i].challenger_json.n > 0;
    for (size_t i = 0; i < *rows && st == FT_OK; i++)
        st = add_row(s, &v[s->order[i].at], challenged, err);
    add_counts(s);
    for (size_t i = 0; i < n_off; i++)
        add_offset(s, &off[i]);
    for (int i = 0; i < W_N && st == FT_OK; i++) {
        ft_pg_array_end(&s->column[i]);
        if (s->column[i].buf.failed)
            st = ft_fail(err, FT_ENOMEM, "postgresql: no memory for a batch of %zu rows", n);
    }
    return st;
}

/* ---- writing ------------------------------------------------------------------------------------------- */

static enum ft_status send_batch(struct ft_store *s, bool fast, const char *cluster,
                                 const char *group, size_t *n_new, struct ft_err *err)
{
    const char *value[W_N];
    int length[W_N], format[W_N];
    struct ft_pg_params p = {value, length, format, fast ? W_N : W_N_CAREFUL, false};
    PGresult *res;
    enum ft_status st;

    for (int i = 0; i < W_N; i++) {
        value[i] = s->column[i].buf.p;
        length[i] = (int)s->column[i].buf.n;
        format[i] = 1;
    }
    value[W_CLUSTER] = cluster;
    value[W_GROUP] = group;
    format[W_CLUSTER] = format[W_GROUP] = 0;
    st = ft_pg_exec_prepared(s->conn, fast ? "fast" : "careful", &p, FT_PG_WRITE_MS, &res,
                             "writing a batch", err);
    if (st == FT_OK) {
        *n_new = (size_t)strtoull(PQgetvalue(res, 0, 0), NULL, 10);
        PQclear(res);
    }
    return st;
}

static enum ft_status write_filled(struct ft_store *s, size_t rows, const char *cluster,
                                   const char *group, size_t *n_new, struct ft_err *err)
{
    bool fast = rows > 0 && s->clean >= CLEAN_BATCHES && s->counts->exact;
    enum ft_status st = send_batch(s, fast, cluster, group, n_new, err);

    if (fast && st == FT_EINPUT) { /* an id was there, or a row is bad: look closer */
        s->clean = 0;
        st = send_batch(s, false, cluster, group, n_new, err);
    }
    if (st == FT_OK)
        s->clean = *n_new == rows ? s->clean + 1 : 0;
    return st;
}

#define ADOPT_MS 5000

enum ft_status ft_store_fold(struct ft_store *s, struct ft_err *err)
{
    enum ft_status st =
        ft_pg_exec(s->conn, fold_sql, NULL, FT_PG_WRITE_MS, NULL, "folding counts", err);

    s->since_fold = 0;
    if (st != FT_OK || ft_now_ms() - s->adopted_ms < ADOPT_MS)
        return st;
    s->adopted_ms = ft_now_ms();
    return ft_pg_adopt(s->conn, 10, err);
}

enum ft_status ft_store_write(struct ft_store *s, const char *cluster, const char *group,
                              const struct ft_verdict *v, size_t n,
                              const struct ft_store_offset *off, size_t n_off, size_t *n_new,
                              struct ft_err *err)
{
    struct ft_err local;
    struct ft_err *e = err ? err : &local;
    size_t rows = 0;
    enum ft_status st;

    *n_new = 0;
    if (!s->conn)
        return ft_fail(e, FT_EUNREACHABLE, "postgresql: not connected");
    st = prepare(s, e);
    if (st == FT_OK)
        st = fill(s, v, n, off, n_off, &rows, e);
    for (int tries = 0; st == FT_OK && tries < 3; tries++) {
        st = write_filled(s, rows, cluster, group, n_new, e);
        /* A dead-lock or a serialization failure: nothing was written, the same again. */
        if (st != FT_EUNREACHABLE || PQstatus(s->conn) != CONNECTION_OK || !strstr(e->text, "(40"))
            break;
        if (tries < 2)
            st = FT_OK;
    }
    if (st == FT_AGAIN)
        st = FT_EUNREACHABLE;
    if (st == FT_EUNREACHABLE && s->lost_ms == 0)
        s->lost_ms = ft_wall_ms();
    if (st != FT_OK)
        return st;
    s->lost_ms = 0;
    if (++s->since_fold >= FOLD_BATCHES)
        (void)ft_store_fold(s, NULL); /* what it could not do waits for the next time */
    return FT_OK;
}
