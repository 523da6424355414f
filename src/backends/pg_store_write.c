/* The batch: one transaction and one round trip. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fraudtop/hist.h"
#include "fraudtop/log.h"
#include "pg_store.h"

/*
 * Two ways to the same.  The careful statement looks for ids that are there already, and counts and keeps only what
 * belongs to new ones.  The fast statements take all for new and fail as a whole when one is not: plain inserts, sent
 * together as one transaction and one round trip (a third less of the server's time; those for which there is nothing
 * are left out).  Repeats come in runs, after a restart or a rebalance: fast only after some careful batches without.
 * Array parameters are estimated at ten rows; hence no nested loops below.
 */
#define CLEAN_BATCHES 8

#define FOUND                                                                                      \
    "INSERT INTO fraudtop_cases (transaction_id, score, threshold, scored_at, amount, model,"      \
    "  label, flagged, sampled, data, reasons, history, usual, features, challenger)"              \
    " SELECT id, c.score, threshold, now(), c.amount, c.model, c.label, flagged, sampled,"         \
    "  data::jsonb, reasons::jsonb, history::jsonb, usual::jsonb, features::jsonb,"                \
    "  c.challenger::jsonb"                                                                        \
    " FROM unnest($1::uuid[], $2::float8[], $3::float8[], $4::numeric[], $5::int4[], $6::int2[],"  \
    "  $7::bool[], $8::bool[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[],"    \
    "  $14::text[]) AS c(id, score, threshold, amount, model, label, flagged, sampled, data,"      \
    "  reasons, history, usual, features, challenger) "
#define MOVED(topic, partition, next, last, cluster, grp)                                          \
    "INSERT INTO fraudtop_sink_offsets"                                                            \
    "  (cluster_id, group_id, topic, partition, next_offset, last_id)"                             \
    " SELECT " cluster ", " grp ", * FROM unnest(" topic "::text[], " partition "::int4[], " next  \
    "::int8[], " last "::uuid[])"                                                                  \
    " ON CONFLICT (cluster_id, group_id, topic, partition) DO UPDATE"                              \
    " SET next_offset = excluded.next_offset, last_id = excluded.last_id"
#define SCORES "INSERT INTO fraud_scores (transaction_id, score, fraud_flag) "
#define KEPT "INSERT INTO fraudtop_verdicts (transaction_id, amount, label, model, challenger) "
#define DELTA                                                                                      \
    "INSERT INTO fraudtop_score_deltas (hour, cell, n, amount)"                                    \
    " SELECT floor(extract(epoch FROM now()) / 3600)::int4, "
#define SKIP "ON CONFLICT (transaction_id) DO NOTHING"

static const char careful_sql[] =
    "WITH input AS (SELECT * FROM unnest($15::float8[], $16::int4[], $17::uuid[], $18::numeric[],"
    "  $19::int2[], $20::int4[], $21::text[], $22::int2[])"
    "  AS t(score, flag, id, amount, label, model, challenger, cell)),"
    " new AS (" SCORES "SELECT id, score, flag FROM input " SKIP " RETURNING transaction_id AS id),"
    " fresh AS MATERIALIZED (SELECT input.* FROM new JOIN input USING (id)),"
    " kept AS (" KEPT "SELECT id, amount, label, model, challenger::jsonb FROM fresh " SKIP "),"
    " counts AS (SELECT cell, count(*)::int4 AS n, coalesce(sum(amount), 0) AS amount"
    "  FROM fresh GROUP BY cell),"
    " delta AS (" DELTA "array_agg(cell), array_agg(n), array_agg(amount) FROM counts"
    "  HAVING count(*) > 0),"
    " found AS (" FOUND "JOIN fresh USING (id) " SKIP "),"
    " moved AS (" MOVED("$23", "$24", "$25", "$26", "$27", "$28") ") SELECT count(*) FROM new";

#define KEPT_COLUMNS                                                                               \
    "SELECT unnest($1::uuid[]), unnest($2::numeric[]), unnest($3::int2[]), unnest($4::int4[]), "
static const char scores_sql[] =
    SCORES "SELECT unnest($3::uuid[]), unnest($1::float8[]), unnest($2::int4[])";
static const char verdicts_sql[] = KEPT KEPT_COLUMNS "NULL";
static const char challenged_sql[] = KEPT KEPT_COLUMNS "unnest($5::text[])::jsonb";
static const char counts_sql[] = DELTA "$1::int2[], $2::int4[], $3::numeric[]";
static const char offsets_sql[] = MOVED("$1", "$2", "$3", "$4", "$5", "$6");

static const struct {
    const char *name, *sql;
} statements[] = {
    {"careful",    careful_sql   },
    {"scores",     scores_sql    },
    {"verdicts",   verdicts_sql  },
    {"challenged", challenged_sql},
    {"cases",      FOUND         },
    {"counts",     counts_sql    },
    {"offsets",    offsets_sql   },
};

static enum ft_status prepare(struct ft_store *s, struct ft_err *err)
{
    enum ft_status st;

    if (s->prepared)
        return FT_OK;
    st = ft_pg_exec(s->conn,
                    "SET enable_nestloop = off; SET jit = off; SET plan_cache_mode = "
                    "force_generic_plan",
                    NULL, FT_PG_WRITE_MS, NULL, "settings", err);
    for (size_t i = 0; st == FT_OK && i < sizeof(statements) / sizeof(*statements); i++)
        st = ft_pg_prepare(s->conn, statements[i].name, statements[i].sql, FT_PG_WRITE_MS, err);
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

static void add_number(struct ft_pg_array *a, bool known, int64_t v)
{
    if (known)
        ft_pg_array_int(a, v);
    else
        ft_pg_array_null(a);
}

static void add_case(struct ft_store *s, const struct ft_verdict *v, int32_t model)
{
    ft_pg_array_uuid(&s->column[W_CASE_ID], &v->id);
    ft_pg_array_double(&s->column[W_CASE_SCORE], v->score);
    if (v->has_threshold)
        ft_pg_array_double(&s->column[W_CASE_THRESHOLD], v->threshold);
    else
        ft_pg_array_null(&s->column[W_CASE_THRESHOLD]);
    ft_pg_array_numeric(&s->column[W_CASE_AMOUNT], v->amount);
    add_number(&s->column[W_CASE_MODEL], model != 0, model);
    add_number(&s->column[W_CASE_LABEL], v->label != FT_LABEL_UNKNOWN, v->label);
    ft_pg_array_int(&s->column[W_CASE_FLAGGED], v->flag == 1);
    ft_pg_array_int(&s->column[W_CASE_SAMPLED], v->sampled);
    add_text(&s->column[W_CASE_DATA], v->data_json);
    add_text(&s->column[W_CASE_REASONS], v->reasons_json);
    add_text(&s->column[W_CASE_HISTORY], v->history_json);
    add_text(&s->column[W_CASE_USUAL], v->usual_json);
    add_text(&s->column[W_CASE_FEATURES], v->features_json);
    add_text(&s->column[W_CASE_CHALLENGER], v->challenger_json);
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

/* Columns that hold nothing in the whole batch stay empty: the server fills them up with NULL. */
struct sparse {
    bool labels, challenger;
};

static enum ft_status add_row(struct ft_store *s, const struct ft_verdict *v, struct sparse has,
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
    add_number(&s->column[W_MODEL], model != 0, model);
    if (has.labels)
        add_number(&s->column[W_LABEL], v->label != FT_LABEL_UNKNOWN, v->label);
    if (has.challenger)
        add_text(&s->column[W_CHALLENGER], v->challenger_json);
    if (v->flag == 1 || v->sampled)
        add_case(s, v, model);
    count_row(s->counts, cell, v->amount);
    return FT_OK;
}

static void add_counts(struct ft_store *s)
{
    struct cell_counts *c = s->counts;

    for (size_t i = 0; i < c->n_used; i++) {
        size_t cell = c->used[i];

        ft_pg_array_int(&s->column[W_COUNT_CELL], (int64_t)cell);
        ft_pg_array_int(&s->column[W_COUNT_N], c->n[cell]);
        ft_pg_array_fixed(&s->column[W_COUNT_AMOUNT], c->amount[cell]);
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
    struct sparse has = {false, false};

    if (!sort_batch(s, v, n, rows))
        return ft_fail(err, FT_ENOMEM, "postgresql: no memory for a batch of %zu rows", n);
    for (int i = 0; i < W_N; i++)
        ft_pg_array_begin(&s->column[i]);
    s->counts->exact = true;
    for (size_t i = 0; i < n; i++) {
        has.labels |= v[i].label != FT_LABEL_UNKNOWN;
        has.challenger |= v[i].challenger_json.n > 0;
    }
    for (size_t i = 0; i < *rows && st == FT_OK; i++)
        st = add_row(s, &v[s->order[i].at], has, err);
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

struct params {
    const char *value[W_N];
    int length[W_N], format[W_N];
};

static void params_of(const struct ft_store *s, const char *cluster, const char *group,
                      struct params *p)
{
    for (int i = 0; i < W_N; i++) {
        p->value[i] = s->column[i].buf.p;
        p->length[i] = (int)s->column[i].buf.n;
        p->format[i] = 1;
    }
    p->value[W_CLUSTER] = cluster;
    p->value[W_GROUP] = group;
    p->format[W_CLUSTER] = p->format[W_GROUP] = 0;
}

static struct ft_pg_call call(const char *name, const struct params *p, int first, int last)
{
    return (struct ft_pg_call){
        name, {p->value + first, p->length + first, p->format + first, last - first + 1, false}
    };
}

static enum ft_status send_fast(struct ft_store *s, const struct params *p, struct ft_err *err)
{
    struct ft_pg_call c[5];
    size_t n = 0;

    c[n++] = call("scores", p, W_SCORE, W_ID);
    c[n++] = s->column[W_CHALLENGER].n ? call("challenged", p, W_ID, W_CHALLENGER)
                                       : call("verdicts", p, W_ID, W_MODEL);
    if (s->column[W_CASE_ID].n)
        c[n++] = call("cases", p, W_CASE_ID, W_CASE_CHALLENGER);
    c[n++] = call("counts", p, W_COUNT_CELL, W_COUNT_AMOUNT);
    if (s->column[W_TOPIC].n)
        c[n++] = call("offsets", p, W_TOPIC, W_GROUP);
    return ft_pg_exec_together(s->conn, c, n, FT_PG_WRITE_MS, "writing a batch", err);
}

static enum ft_status send_careful(struct ft_store *s, const struct params *p, size_t *n_new,
                                   struct ft_err *err)
{
    const struct ft_pg_call c = call("careful", p, 0, W_GROUP);
    PGresult *res;
    enum ft_status st = ft_pg_exec_prepared(s->conn, c.name, &c.params, FT_PG_WRITE_MS, &res,
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
    struct params p;
    enum ft_status st = FT_EINPUT;

    params_of(s, cluster, group, &p);
    if (rows > 0 && s->clean >= CLEAN_BATCHES && s->counts->exact) {
        st = send_fast(s, &p, err);
        *n_new = rows;
    }
    if (st == FT_EINPUT) /* not fast, or an id was there, or a row is bad: look closer */
        st = send_careful(s, &p, n_new, err);
    if (st == FT_OK)
        s->clean = *n_new == rows ? s->clean + 1 : 0;
    return st;
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
    return FT_OK;
}

/* ---- folding -------------------------------------------------------------------------------------------- */

/* Counts of the batches into hours and totals; one program at a time, and no more at once than takes a moment.
 * All or nothing is enough: what a crash of the server takes back is folded again. */
#define FOLD_MS 5000
static const char fold_sql[] =
    "WITH ok AS MATERIALIZED (SELECT pg_try_advisory_xact_lock(7234019283102) AS got,"
    "  set_config('synchronous_commit', 'off', true)),"
    " d AS (DELETE FROM fraudtop_score_deltas WHERE (SELECT got FROM ok)"
    "  AND id < (SELECT min(id) + 2000 FROM fraudtop_score_deltas)"
    "  RETURNING hour, cell, n, amount),"
    " c AS MATERIALIZED (SELECT hour, u.cell, sum(u.n)::int8 AS n, sum(u.amount) AS amount"
    "  FROM d, unnest(d.cell, d.n, d.amount) AS u(cell, n, amount) GROUP BY 1, 2),"
    " h AS (INSERT INTO fraudtop_score_hours AS o (hour, cell, n, amount) SELECT * FROM c"
    "  ON CONFLICT (hour, cell) DO UPDATE"
    "  SET n = o.n + excluded.n, amount = o.amount + excluded.amount) "
    "INSERT INTO fraudtop_score_totals AS o (part, n, amount)"
    " SELECT cell / 2000, sum(n), sum(amount) FROM c GROUP BY 1"
    " ON CONFLICT (part) DO UPDATE SET n = o.n + excluded.n, amount = o.amount + excluded.amount";

#define ADOPT_MS 5000

enum ft_status ft_store_fold(struct ft_store *s, struct ft_err *err)
{
    enum ft_status st = ft_pg_exec(s->conn, fold_sql, NULL, FOLD_MS, NULL, "folding counts", err);

    if (st != FT_OK || ft_now_ms() - s->adopted_ms < ADOPT_MS)
        return st;
    s->adopted_ms = ft_now_ms();
    return ft_pg_adopt(s->conn, 10, err);
}
