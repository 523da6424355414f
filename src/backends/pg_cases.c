/* Opening a cases handle, its connections, and what the console polls. */
#include "pg_cases.h"

#include <inttypes.h>
#include <math.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fraudtop/log.h"

/* ---- parameters ---------------------------------------------------------------------------------------- */

void ft_args_init(struct ft_args *a)
{
    a->n = 0;
    ft_buf_init(&a->text, 1 << 20);
}

void ft_args_fini(struct ft_args *a)
{
    ft_buf_fini(&a->text);
}

int ft_args_text(struct ft_args *a, const char *text)
{
    if (a->n == FT_ARGS) {
        a->text.failed = true;
        return 1;
    }
    a->value[a->n] = text;
    a->at[a->n] = SIZE_MAX;
    return ++a->n;
}

/* Numbers are written into the buffer; their places are known at the end only, as it may move. */
static int add_number(struct ft_args *a, const char *text)
{
    int param = ft_args_text(a, NULL);

    a->at[param - 1] = a->text.n;
    ft_buf_add(&a->text, text, strlen(text) + 1);
    return param;
}

int ft_args_int(struct ft_args *a, int64_t v)
{
    char text[24];

    snprintf(text, sizeof(text), "%" PRId64, v);
    return add_number(a, text);
}

int ft_args_double(struct ft_args *a, double v)
{
    char text[32];

    snprintf(text, sizeof(text), "%.17g", v);
    return add_number(a, text);
}

static bool args_end(struct ft_args *a)
{
    for (int i = 0; i < a->n && !a->text.failed; i++)
        if (a->at[i] != SIZE_MAX)
            a->value[i] = a->text.p + a->at[i];
    return !a->text.failed;
}

/* ---- connections --------------------------------------------------------------------------------------- */

static const char session_sql[] =
    "SET statement_timeout = '2s'; SET lock_timeout = '2s'; SET extra_float_digits = 1;"
    " SET datestyle = 'ISO'; SET jit = off; SET max_parallel_workers_per_gather = 0;"
    /* Every question wants the first rows of an index; new rows make the planner think otherwise. */
    " SET enable_bitmapscan = off; SET enable_seqscan = off";

static enum ft_status connect_as(struct ft_cases *c, PGconn **out, int timeout_ms,
                                 struct ft_err *err)
{
    enum ft_status st = ft_pg_connect(out, c->conninfo, NULL, timeout_ms, err);

    if (st == FT_OK)
        st = ft_pg_exec(*out, session_sql, NULL, timeout_ms, NULL, "settings", err);
    if (st != FT_OK) {
        PQfinish(*out);
        *out = NULL;
    }
    return st;
}

static enum ft_status look_at_rights(struct ft_cases *c, int timeout_ms, struct ft_err *err)
{
    PGresult *res;
    enum ft_status st =
        ft_pg_exec(c->read,
                   "SELECT has_table_privilege('fraudtop_events', 'INSERT') AND"
                   " has_table_privilege('fraudtop_cases', 'UPDATE') AND NOT pg_is_in_recovery()",
                   NULL, timeout_ms, &res, "looking at the role's rights", err);

    if (st != FT_OK)
        return st;
    c->may_write = *PQgetvalue(res, 0, 0) == 't';
    c->can_write = c->may_write && !c->read_only;
    PQclear(res);
    return FT_OK;
}

static enum ft_status connect_cases(struct ft_cases *c, int timeout_ms, struct ft_err *err)
{
    enum ft_status st = connect_as(c, &c->read, timeout_ms, err);

    if (st == FT_OK)
        st = ft_pg_schema(c->read, timeout_ms, err);
    if (st == FT_OK)
        st = ft_pg_exec(c->read, "SET default_transaction_read_only = on", NULL, timeout_ms, NULL,
                        "settings", err);
    if (st == FT_OK && c->hide)
        st = ft_pg_exec(c->read, "SET fraudtop.hide = 'on'", NULL, timeout_ms, NULL, "settings",
                        err);
    if (st == FT_OK)
        st = look_at_rights(c, timeout_ms, err);
    c->adopted_ms = 0;
    c->swept = false;
    c->prepared = 0;
    c->counted_ms = 0;
    if (st != FT_OK) {
        PQfinish(c->read);
        c->read = NULL;
    }
    return st;
}

enum ft_status ft_cases_open(struct ft_cases **out, const struct ft_cases_opts *opts,
                             int timeout_ms, struct ft_err *err)
{
    struct ft_cases *c = calloc(1, sizeof(*c));
    struct passwd *login = getpwuid(geteuid());
    enum ft_status st;

    *out = NULL;
    if (!c)
        return ft_fail(err, FT_ENOMEM, "postgresql: no memory");
    c->conninfo = strdup(opts->conninfo ? opts->conninfo : "");
    snprintf(c->who, sizeof(c->who), "%s",
             opts->who && *opts->who ? opts->who
             : login                 ? login->pw_name
                                     : "unknown");
    c->read_only = opts->read_only;
    c->masked = opts->masked || opts->hide;
    c->hide = opts->hide;
    c->over_limit_ms = opts->over_limit_ms ? opts->over_limit_ms : 30 * 60000;
    c->claim_ms = opts->claim_ms ? opts->claim_ms : 30 * 60000;
    c->undo_ms = opts->undo_ms ? opts->undo_ms : 10 * 60000;
    st = c->conninfo ? connect_cases(c, timeout_ms, err)
                     : ft_fail(err, FT_ENOMEM, "postgresql: no memory");
    if (st != FT_OK) {
        ft_cases_close(c);
        return st;
    }
    *out = c;
    return FT_OK;
}

void ft_cases_close(struct ft_cases *c)
{
    if (!c)
        return;
    PQfinish(c->read);
    PQfinish(c->write);
    free(c->conninfo);
    free(c);
}

enum ft_status ft_cases_reconnect(struct ft_cases *c, int timeout_ms, struct ft_err *err)
{
    PQfinish(c->read);
    PQfinish(c->write);
    c->read = c->write = NULL;
    return connect_cases(c, timeout_ms, err);
}

void ft_cases_mask(struct ft_cases *c, bool masked)
{
    c->masked = masked;
}

bool ft_cases_can_write(const struct ft_cases *c)
{
    return c->can_write;
}

bool ft_cases_may_write(const struct ft_cases *c)
{
    return c->may_write;
}

enum ft_status ft_cases_writer(struct ft_cases *c, struct ft_err *err)
{
    if (c->read_only)
        return ft_fail(err, FT_EUSAGE, "read only (--read-only): nothing was written");
    if (!c->can_write)
        return ft_fail(
            err, FT_EUSAGE,
            "read only: the database role may not write to fraudtop_events, or the server is a "
            "standby");
    if (c->write && PQstatus(c->write) == CONNECTION_OK)
        return FT_OK;
    PQfinish(c->write);
    c->write = NULL;
    return connect_as(c, &c->write, FT_CASES_MS, err);
}

enum ft_status ft_cases_query(struct ft_cases *c, const char *sql, struct ft_args *a,
                              PGresult **res, const char *what, struct ft_err *err)
{
    struct ft_pg_params p = {.n = 0};

    if (a) {
        if (!args_end(a))
            return ft_fail(err, FT_ENOMEM, "%s: too many values", what);
        p.value = a->value;
        p.n = a->n;
    }
    if (!c->read || PQstatus(c->read) != CONNECTION_OK)
        return ft_fail(err, FT_EUNREACHABLE, "postgresql: not connected");
    return ft_pg_exec(c->read, sql, &p, FT_CASES_MS, res, what, err);
}

enum ft_status ft_cases_json(struct ft_cases *c, const char *sql, struct ft_args *a, char **json,
                             const char *what, struct ft_err *err)
{
    PGresult *res;
    enum ft_status st = ft_cases_query(c, sql, a, &res, what, err);

    *json = NULL;
    if (st != FT_OK)
        return st;
    if (PQntuples(res) == 0)
        st = FT_END;
    else if (!(*json = strdup(PQgetvalue(res, 0, 0))))
        st = ft_fail(err, FT_ENOMEM, "%s: no memory", what);
    PQclear(res);
    return st;
}

/* ---- rows that others wrote ---------------------------------------------------------------------------- */

void ft_cases_adopt(struct ft_cases *c)
{
    int64_t now = ft_now_ms();
    struct ft_err err;
    enum ft_status st;

    if (!c->can_write || (c->adopted_ms && now - c->adopted_ms < 1000))
        return;
    c->adopted_ms = now;
    if (ft_cases_writer(c, &err) != FT_OK)
        return;
    st = ft_pg_adopt(c->write, c->swept ? 10 : 60, &err);
    if (st == FT_OK)
        c->swept = true;
    else
        ft_log(FT_WARN, "pg", "%s", err.text);
}

/* ---- polled -------------------------------------------------------------------------------------------- */

enum polled { POLL_LATEST, POLL_SCORES, POLL_TOTALS, POLL_REVIEW };

/* Prepared at its first use over a connection: planning costs more than running. */
static enum ft_status poll_query(struct ft_cases *c, enum polled which, const char *sql,
                                 struct ft_args *a, PGresult **res, const char *what,
                                 struct ft_err *err)
{
    static const char *const names[] = {"latest", "scores", "totals", "review"};
    struct ft_pg_params p = {.value = a->value, .n = a->n};
    enum ft_status st = FT_OK;

    if (!args_end(a))
        return ft_fail(err, FT_ENOMEM, "%s: no memory", what);
    if (!c->read || PQstatus(c->read) != CONNECTION_OK)
        return ft_fail(err, FT_EUNREACHABLE, "postgresql: not connected");
    if (!(c->prepared & 1u << which))
        st = ft_pg_prepare(c->read, names[which], sql, FT_CASES_MS, err);
    if (st != FT_OK)
        return st;
    c->prepared |= 1u << which;
    return ft_pg_exec_prepared(c->read, names[which], &p, FT_CASES_MS, res, what, err);
}

static const char *field(PGresult *res, int row, int col)
{
    return PQgetvalue(res, row, col);
}

static double number(PGresult *res, int row, int col)
{
    return PQgetisnull(res, row, col) ? (double)NAN : strtod(PQgetvalue(res, row, col), NULL);
}

static char status_letter(const char *status)
{
    return *status == 'o' || *status == 'f' || *status == 'l' || *status == 'e' || *status == 's'
               ? *status
               : 'o';
}

static void read_flagged(struct ft_flagged *f, PGresult *res, int r)
{
    struct {
        char *to;
        size_t size;
    } text[] = {
        {f->amount,     sizeof(f->amount)    },
        {f->event,      sizeof(f->event)     },
        {f->merchant,   sizeof(f->merchant)  },
        {f->category,   sizeof(f->category)  },
        {f->name_1,     sizeof(f->name_1)    },
        {f->name_2,     sizeof(f->name_2)    },
        {f->street,     sizeof(f->street)    },
        {f->city,       sizeof(f->city)      },
        {f->state,      sizeof(f->state)     },
        {f->gender,     sizeof(f->gender)    },
        {f->why,        sizeof(f->why)       },
        {f->claimed_by, sizeof(f->claimed_by)},
    };
    int col = 0;

    memset(f, 0, sizeof(*f));
    (void)ft_uuid_parse(&f->id, ft_span_of(field(res, r, col++)));
    f->score = number(res, r, col++);
    f->threshold = number(res, r, col++);
    f->arrived_ms = (int64_t)number(res, r, col++);
    f->distance_km = number(res, r, col++);
    f->label = (int8_t)strtol(field(res, r, col++), NULL, 10);
    f->status = status_letter(field(res, r, col++));
    f->claimed_ms = (int64_t)strtoll(field(res, r, col++), NULL, 10);
    f->sampled = *field(res, r, col++) == 't';
    for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++)
        snprintf(text[i].to, text[i].size, "%s", field(res, r, col++));
}

enum ft_status ft_cases_latest(struct ft_cases *c, struct ft_flagged *out, size_t max, size_t *n,
                               struct ft_err *err)
{
    /* From fraud_scores, so that nothing written by hand is missed; its partial index gives the newest. */
    static const char sql[] =
        "SELECT s.transaction_id, s.score, c.threshold,"
        " (extract(epoch FROM s.scored_at) * 1000)::int8, c.distance_km, coalesce(c.label, -1),"
        " " SQL_STATUS ","
        " CASE WHEN c.claimed_until > now() THEN (extract(epoch FROM c.claimed_at) * 1000)::int8 "
        "END,"
        " coalesce(c.sampled, false), c.amount::text, c.event, c.merchant, c.category, c.name_1,"
        " c.name_2, c.street, c.city, c.us_state, c.gender, c.why, " SQL_CLAIMED
        " FROM (SELECT * FROM fraud_scores WHERE fraud_flag = 1"
        "  ORDER BY scored_at DESC LIMIT $1::int8) s"
        " LEFT JOIN fraudtop_cases c USING (transaction_id)"
        " ORDER BY s.scored_at DESC, s.transaction_id DESC";
    struct ft_args a;
    PGresult *res;
    enum ft_status st;

    *n = 0;
    ft_cases_adopt(c);
    ft_args_init(&a);
    ft_args_int(&a, (int64_t)max);
    st = poll_query(c, POLL_LATEST, sql, &a, &res, "reading the latest flagged", err);
    ft_args_fini(&a);
    if (st != FT_OK)
        return st;
    *n = (size_t)PQntuples(res);
    for (size_t i = 0; i < *n; i++)
        read_flagged(&out[i], res, (int)i);
    PQclear(res);
    return FT_OK;
}

enum ft_status ft_cases_scores(struct ft_cases *c, size_t n, int64_t since_ms,
                               struct ft_scores *out, uint64_t *flagged, struct ft_err *err)
{
    static const char sql[] =
        "SELECT greatest(least(floor(score * 2000), 1999), 0)::int4, count(*),"
        " count(*) FILTER (WHERE fraud_flag = 1) FROM (SELECT score, fraud_flag FROM fraud_scores"
        "  WHERE scored_at >= to_timestamp($2::float8 / 1000) ORDER BY scored_at DESC LIMIT "
        "$1::int8) s"
        " GROUP BY 1";
    struct ft_args a;
    PGresult *res;
    enum ft_status st;

    memset(out, 0, sizeof(*out));
    *flagged = 0;
    ft_args_init(&a);
    ft_args_int(&a, (int64_t)(n < 100000 ? n : 100000));
    ft_args_int(&a, since_ms);
    st = poll_query(c, POLL_SCORES, sql, &a, &res, "reading the latest scores", err);
    ft_args_fini(&a);
    if (st != FT_OK)
        return st;
    for (int i = 0; i < PQntuples(res); i++) {
        long bin = strtol(field(res, i, 0), NULL, 10);
        uint64_t rows = strtoull(field(res, i, 1), NULL, 10);

        if (bin >= 0 && bin < FT_SCORE_BINS)
            out->bin[bin] += rows;
        out->count += rows;
        *flagged += strtoull(field(res, i, 2), NULL, 10);
    }
    PQclear(res);
    return FT_OK;
}

static int64_t local_midnight_ms(void)
{
    time_t now = (time_t)(ft_wall_ms() / 1000);
    struct tm tm;

    localtime_r(&now, &tm);
    tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
    tm.tm_isdst = -1;
    return (int64_t)mktime(&tm) * 1000;
}

/* Counts by part from totals and what is not folded yet; the size of the table as the server guesses it, where others write
 * too; what people did today, by index. */
static const char totals_sql[] =
    "WITH p AS (SELECT part, sum(n) AS n, sum(amount) AS amount FROM ("
    "   SELECT part, n, amount FROM fraudtop_score_totals"
    "   UNION ALL SELECT (u.cell / 2000)::int2, u.n, u.amount"
    "    FROM fraudtop_score_deltas d, unnest(d.cell, d.n, d.amount) AS u(cell, n, amount)) x"
    "  GROUP BY part),"
    " d AS (SELECT count(*) FILTER (WHERE status = 'fraud') AS fraud,"
    "   count(*) FILTER (WHERE status = 'legitimate') AS legitimate,"
    "   count(*) FILTER (WHERE status = 'escalated') AS escalated"
    "  FROM fraudtop_cases WHERE status IN ('fraud', 'legitimate', 'escalated')"
    "   AND decided_at >= to_timestamp($1::float8 / 1000)),"
    " t AS (SELECT reltuples::int8 AS guess FROM pg_class WHERE oid = 'fraud_scores'::regclass) "
    "SELECT coalesce((SELECT sum(n) FROM p), 0),"
    " CASE WHEN pg_relation_size('fraud_scores') < 4194304 THEN (SELECT count(*) FROM fraud_scores)"
    "  ELSE (SELECT guess FROM t) END,"
    " (SELECT string_agg(part || ' ' || n || ' ' || amount, ' ' ORDER BY part) FROM p),"
    " d.fraud, d.legitimate, d.escalated FROM d";

/* The queue: its open cases counted up to 5,000 and else by difference.  Looks at everything that was ever decided. */
static const char review_sql[] =
    "WITH q AS (SELECT count(*) AS n, min(scored_at) AS oldest,"
    "   count(*) FILTER (WHERE scored_at < now() - $1::float8 * interval '1 ms') AS over"
    "  FROM (SELECT c.scored_at FROM fraudtop_cases c WHERE " SQL_OPEN
    "   ORDER BY c.scored_at LIMIT 5001) x),"
    " s AS (SELECT count(*) FILTER (WHERE status = 'escalated') AS escalated,"
    "   count(*) FILTER (WHERE status = 'snoozed' AND snoozed_until > now()) AS snoozed,"
    "   count(*) FILTER (WHERE claimed_until > now()) AS claimed,"
    "   count(*) FILTER (WHERE flagged AND (status NOT IN ('open', 'snoozed') OR"
    "    snoozed_until > now())) AS done"
    "  FROM fraudtop_cases WHERE status <> 'open' OR claimed_by IS NOT NULL) "
    "SELECT q.n, q.over, coalesce((extract(epoch FROM now() - q.oldest) * 1000)::int8, -1),"
    " s.claimed, s.snoozed, s.escalated, s.done FROM q, s";

static void read_parts(struct ft_case_totals *t, const char *text)
{
    uint64_t n[6] = {0};
    double amount[6] = {0};
    char *end;

    for (const char *p = text; *p; p = end) {
        long part = strtol(p, &end, 10);
        uint64_t rows = strtoull(end, &end, 10);
        double sum = strtod(end, &end);

        if (end == p || part < 0 || part > 5)
            break;
        n[part] = rows;
        amount[part] = sum;
    }
    t->flagged = n[3] + n[4] + n[5];
    t->tn = n[1];
    t->fn = n[2];
    t->fp = n[4];
    t->tp = n[5];
    t->has_labels = t->tn + t->fn + t->fp + t->tp > 0;
    t->money_flagged = amount[3] + amount[4] + amount[5];
    t->money_missed = amount[2];
    t->money_false_alarm = amount[4];
}

/* No more than a twentieth of the server's time goes to counting the queue. */
#define REVIEW_EVERY 20

static enum ft_status count_review(struct ft_cases *c, struct ft_err *err)
{
    int64_t now = ft_now_ms();
    struct ft_args a;
    PGresult *res;
    enum ft_status st;

    if (c->counted_ms && now < c->counted_ms + REVIEW_EVERY * c->count_took_ms)
        return FT_OK;
    ft_args_init(&a);
    ft_args_int(&a, c->over_limit_ms);
    st = poll_query(c, POLL_REVIEW, review_sql, &a, &res, "counting the queue", err);
    ft_args_fini(&a);
    if (st == FT_AGAIN) { /* too much to be counted in time: not soon again */
        ft_log(FT_WARN, "pg", "%s", err->text);
        c->count_took_ms = ft_now_ms() - now;
        c->counted_ms = ft_now_ms();
        return FT_OK;
    }
    if (st != FT_OK)
        return st;
    for (int i = 0; i < FT_CASES_COUNTS; i++)
        c->count[i] = strtoull(field(res, 0, i), NULL, 10);
    PQclear(res);
    c->counted_ms = ft_now_ms();
    c->count_took_ms = c->counted_ms - now;
    return FT_OK;
}

static void take_review(const struct ft_cases *c, struct ft_case_totals *out)
{
    int64_t age = ft_now_ms() - c->counted_ms, oldest = (int64_t)c->count[2];

    out->open = c->count[0] <= 5000 || out->flagged < c->count[6] ? c->count[0]
                                                                  : out->flagged - c->count[6];
    out->over_limit = c->count[1];
    out->oldest_ms = oldest < 0 ? -1 : oldest + age;
    out->claimed = c->count[3];
    out->snoozed = c->count[4];
    out->escalated = c->count[5];
}

enum ft_status ft_cases_totals(struct ft_cases *c, struct ft_case_totals *out, struct ft_err *err)
{
    struct ft_args a;
    PGresult *res;
    uint64_t stored, guess;
    enum ft_status st;

    memset(out, 0, sizeof(*out));
    ft_cases_adopt(c);
    ft_args_init(&a);
    ft_args_int(&a, local_midnight_ms());
    st = poll_query(c, POLL_TOTALS, totals_sql, &a, &res, "reading totals", err);
    ft_args_fini(&a);
    if (st != FT_OK)
        return st;
    stored = strtoull(field(res, 0, 0), NULL, 10);
    guess = strtoull(field(res, 0, 1), NULL, 10);
    read_parts(out, field(res, 0, 2));
    out->stored = (int64_t)guess > (int64_t)stored ? guess : stored;
    out->fraud_today = strtoull(field(res, 0, 3), NULL, 10);
    out->legitimate_today = strtoull(field(res, 0, 4), NULL, 10);
    out->escalated_today = strtoull(field(res, 0, 5), NULL, 10);
    out->decided_today = out->fraud_today + out->legitimate_today + out->escalated_today;
    PQclear(res);
    st = count_review(c, err);
    if (st == FT_OK)
        take_review(c, out);
    return st;
}
