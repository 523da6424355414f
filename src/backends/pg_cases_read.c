/* Answers as JSON, put together by the server. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pg_cases_sql.h"

/* ---- which case ---------------------------------------------------------------------------------------- */

/* All ids that begin so lie between two: the rest filled with 0 and with f. */
static bool id_range(const char *text, char lo[FT_UUID_TEXT + 1], char hi[FT_UUID_TEXT + 1])
{
    char digits[2][33];
    struct ft_uuid u;
    size_t n = 0;

    for (const char *p = text; *p; p++) {
        char c = *p >= 'A' && *p <= 'F' ? (char)(*p - 'A' + 'a') : *p;

        if (c == '-')
            continue;
        if (n == 32 || !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
        digits[0][n] = digits[1][n] = c;
        n++;
    }
    if (n < 4)
        return false;
    for (; n < 32; n++) {
        digits[0][n] = '0';
        digits[1][n] = 'f';
    }
    if (!ft_uuid_parse(&u, (struct ft_span){digits[0], 32}))
        return false;
    ft_uuid_format(&u, lo);
    if (!ft_uuid_parse(&u, (struct ft_span){digits[1], 32}))
        return false;
    ft_uuid_format(&u, hi);
    return true;
}

/* At most two ids for a question with two texts; *n of them, the first in out. */
static enum ft_status find_ids(struct ft_cases *c, const char *sql, const char *x, const char *y,
                               char out[FT_UUID_TEXT + 1], int *n, struct ft_err *err)
{
    struct ft_args a;
    PGresult *res;
    enum ft_status st;

    ft_args_init(&a);
    ft_args_text(&a, x);
    ft_args_text(&a, y);
    st = ft_cases_query(c, sql, &a, &res, "looking for the case", err);
    ft_args_fini(&a);
    if (st != FT_OK)
        return st;
    *n = PQntuples(res);
    if (*n)
        snprintf(out, FT_UUID_TEXT + 1, "%s", PQgetvalue(res, 0, 0));
    PQclear(res);
    return FT_OK;
}

enum ft_status ft_cases_id(struct ft_cases *c, const char *id, char out[FT_UUID_TEXT + 1],
                           struct ft_err *err)
{
    static const char begins[] =
        "SELECT transaction_id FROM (SELECT transaction_id FROM fraudtop_cases"
        "  WHERE transaction_id BETWEEN $1::uuid AND $2::uuid"
        " UNION SELECT transaction_id FROM (SELECT transaction_id FROM fraud_scores"
        "  WHERE transaction_id BETWEEN $1::uuid AND $2::uuid LIMIT 2) s) t LIMIT 2";
    static const char ends[] = "SELECT transaction_id FROM fraudtop_cases WHERE"
                               " right(transaction_id::text, length($1)) = lower($2) LIMIT 2";
    char lo[FT_UUID_TEXT + 1], hi[FT_UUID_TEXT + 1];
    enum ft_status st;
    int n;

    if (!id || !id_range(id, lo, hi))
        return ft_fail(err, FT_EUSAGE,
                       "\"%.40s\": not a transaction id, nor at least four digits of one",
                       id ? id : "");
    st = find_ids(c, begins, lo, hi, out, &n, err);
    if (st == FT_OK && n != 1) /* the ids of a run differ at their ends */
        st = find_ids(c, ends, id, id, out, &n, err);
    if (st == FT_OK && n != 1)
        st = ft_fail(err, FT_EUSAGE,
                     n ? "%s: more than one case begins or ends so"
                       : "%s: no such transaction, or more than one begins so",
                     id);
    return st;
}

/* ---- the list ------------------------------------------------------------------------------------------ */

struct list_sql {
    struct ft_buf where, order;
    struct ft_args args;
    struct ft_filter filter;
};

static void list_fini(struct list_sql *l)
{
    ft_buf_fini(&l->where);
    ft_buf_fini(&l->order);
    ft_args_fini(&l->args);
}

static enum ft_status bad_filter(struct ft_err *err, const char *filter, size_t at)
{
    ft_err_prefix(err, "filter, character %zu (\"%.20s\")", at + 1, filter + at);
    return FT_EUSAGE;
}

static bool list_order(struct list_sql *l, const struct ft_case_query *q)
{
    static const struct {
        const char *name, *down, *up;
    } sorts[] = {
        {"risk",    "c.risk DESC, c.transaction_id",              "c.risk, c.transaction_id DESC"          },
        {"score",   "c.score DESC, c.transaction_id",             "c.score, c.transaction_id DESC"         },
        {"amount",  "c.amount DESC NULLS LAST, c.transaction_id",
         "c.amount NULLS FIRST, c.transaction_id DESC"                                                     },
        {"waiting", "c.scored_at, c.transaction_id",              "c.scored_at DESC, c.transaction_id DESC"},
    };

    for (size_t i = 0; i < sizeof(sorts) / sizeof(sorts[0]); i++)
        if (strcmp(q->sort && *q->sort ? q->sort : "risk", sorts[i].name) == 0) {
            ft_buf_text(&l->order, q->reverse ? sorts[i].up : sorts[i].down);
            return true;
        }
    return false;
}

static enum ft_status list_begin(struct list_sql *l, struct ft_cases *c,
                                 const struct ft_case_query *q, struct ft_err *err)
{
    const char *filter = q->filter ? q->filter : "";
    size_t at = 0;
    bool sampled;

    ft_buf_init(&l->where, 1 << 16);
    ft_buf_init(&l->order, 1 << 10);
    ft_args_init(&l->args);
    if (ft_filter_parse(&l->filter, filter, c->masked, &at, err) != FT_OK)
        return bad_filter(err, filter, at);
    if (!list_order(l, q))
        return ft_fail(err, FT_EUSAGE, "sort: \"%s\"; there are risk, score, amount, waiting",
                       q->sort);
    sampled = ft_filter_has(&l->filter, FT_FIELD_SAMPLED);
    if (q->all || ft_filter_has(&l->filter, FT_FIELD_STATUS))
        ft_buf_text(&l->where, sampled ? "true" : "c.flagged");
    else
        ft_buf_text(&l->where, sampled
                                   ? "c.status IN ('open', 'snoozed') AND (c.status = 'open' OR "
                                     "c.snoozed_until <= now())"
                                   : SQL_OPEN);
    if (q->since_ms)
        ft_buf_fmt(&l->where, " AND c.scored_at >= to_timestamp($%d::float8 / 1000)",
                   ft_args_int(&l->args, q->since_ms));
    ft_pg_filter(&l->filter, c->masked, &l->where, &l->args);
    return FT_OK;
}

#define TOTAL_CAP "10000" /* more are not counted one by one, unless they are listed */

enum ft_status ft_cases_list(struct ft_cases *c, const struct ft_case_query *q, char **json,
                             struct ft_err *err)
{
    struct list_sql l;
    struct ft_buf sql;
    enum ft_status st;

    *json = NULL;
    ft_cases_adopt(c);
    ft_buf_init(&sql, 1 << 18);
    st = list_begin(&l, c, q, err);
    if (st == FT_OK) {
        int filter = ft_args_text(&l.args, q->filter ? q->filter : "");
        int limit = ft_args_int(&l.args, q->limit ? (int64_t)q->limit : 1000000);
        int offset = ft_args_int(&l.args, (int64_t)q->offset);

        ft_buf_fmt(&sql,
                   "WITH found AS MATERIALIZED (SELECT transaction_id, row_number() OVER () AS"
                   " place FROM (SELECT transaction_id FROM fraudtop_cases c WHERE %s ORDER BY %s"
                   " LIMIT greatest($%d::int8 + $%d::int8, " TOTAL_CAP ")) x) "
                   "SELECT json_build_object('schema', 'cases.list/1', 'filter', $%d::text,"
                   " 'total', (SELECT count(*) FROM found), 'cases', coalesce((SELECT"
                   " json_agg(json_build_object(" SQL_CASE_MEMBERS ") ORDER BY place)"
                   " FROM (SELECT * FROM found ORDER BY place LIMIT $%d::int8 OFFSET $%d::int8) f"
                   " JOIN fraudtop_cases c USING (transaction_id)), '[]'::json))",
                   l.where.p, l.order.p, limit, offset, filter, limit, offset);
        st = sql.failed ? ft_fail(err, FT_ENOMEM, "listing cases: no memory")
                        : ft_cases_json(c, sql.p, &l.args, json, "listing cases", err);
    }
    list_fini(&l);
    ft_buf_fini(&sql);
    return st;
}

static enum ft_status fetch_each(struct ft_cases *c,
                                 enum ft_status (*row)(void *user, const char *json,
                                                       struct ft_err *err),
                                 void *user, struct ft_err *err)
{
    for (;;) {
        PGresult *res;
        enum ft_status st =
            ft_cases_query(c, "FETCH 500 FROM each", NULL, &res, "reading cases", err);
        int n;

        if (st != FT_OK)
            return st;
        n = PQntuples(res);
        for (int i = 0; i < n && st == FT_OK; i++)
            st = row(user, PQgetvalue(res, i, 0), err);
        PQclear(res);
        if (n == 0 || st != FT_OK)
            return st;
    }
}

enum ft_status ft_cases_each(struct ft_cases *c, const struct ft_case_query *q,
                             enum ft_status (*row)(void *user, const char *json,
                                                   struct ft_err *err),
                             void *user, struct ft_err *err)
{
    struct list_sql l;
    struct ft_buf sql;
    enum ft_status st;

    ft_cases_adopt(c);
    ft_buf_init(&sql, 1 << 18);
    st = list_begin(&l, c, q, err);
    if (st == FT_OK) {
        int limit = ft_args_int(&l.args, q->limit ? (int64_t)q->limit : INT64_MAX);

        ft_buf_fmt(&sql,
                   "DECLARE each NO SCROLL CURSOR FOR SELECT json_build_object('schema',"
                   " 'cases.case/1', " SQL_CASE_MEMBERS ", 'data', " SQL_DATA
                   ") FROM fraudtop_cases c"
                   " WHERE %s ORDER BY %s LIMIT $%d::int8",
                   l.where.p, l.order.p, limit);
        st = ft_cases_query(c, "BEGIN", NULL, NULL, "reading cases", err);
        if (st == FT_OK)
            st = ft_cases_query(c, sql.p, &l.args, NULL, "reading cases", err);
        if (st == FT_OK)
            st = fetch_each(c, row, user, err);
        (void)ft_cases_query(c, "ROLLBACK", NULL, NULL, "reading cases", NULL);
    }
    list_fini(&l);
    ft_buf_fini(&sql);
    return st;
}

/* ---- one case ------------------------------------------------------------------------------------------ */

enum ft_status ft_cases_show(struct ft_cases *c, const char *id, char **json, struct ft_err *err)
{
    char whole[FT_UUID_TEXT + 1];
    struct ft_args a;
    enum ft_status st = ft_cases_id(c, id, whole, err);

    *json = NULL;
    if (st != FT_OK)
        return st;
    ft_args_init(&a);
    ft_args_text(&a, whole);
    st = ft_cases_json(c, show_sql, &a, json, "reading the case", err);
    ft_args_fini(&a);
    return st == FT_END ? ft_fail(err, FT_EUSAGE, "%s: no such transaction", id) : st;
}

/* ---- figures ------------------------------------------------------------------------------------------- */

enum ft_status ft_cases_stats(struct ft_cases *c, char **json, struct ft_err *err)
{
    struct ft_case_totals t;
    struct ft_args a;
    enum ft_status st = ft_cases_totals(c, &t, err);
    const uint64_t now[] = {t.open, t.claimed, t.over_limit, t.snoozed, t.escalated};
    const uint64_t today[] = {t.decided_today, t.fraud_today, t.legitimate_today,
                              t.escalated_today};

    *json = NULL;
    if (st != FT_OK)
        return st;
    ft_args_init(&a);
    for (int i = 0; i < 5; i++)
        ft_args_int(&a, (int64_t)now[i]);
    ft_args_int(&a, t.oldest_ms);
    for (int i = 0; i < 4; i++)
        ft_args_int(&a, (int64_t)today[i]);
    ft_args_double(&a, t.money_flagged);
    st = ft_cases_json(c, stats_sql, &a, json, "reading statistics", err);
    ft_args_fini(&a);
    return st;
}

enum ft_status ft_cases_log(struct ft_cases *c, size_t limit, int64_t since_ms, char **json,
                            struct ft_err *err)
{
    struct ft_args a;
    enum ft_status st;

    ft_args_init(&a);
    ft_args_int(&a, limit ? (int64_t)limit : 1000000);
    ft_args_int(&a, since_ms);
    st = ft_cases_json(c, log_sql, &a, json, "reading the log", err);
    ft_args_fini(&a);
    return st;
}

/* An answer to a question with one number. */
static enum ft_status ask_number(struct ft_cases *c, const char *sql, int64_t n, char **json,
                                 const char *what, struct ft_err *err)
{
    struct ft_args a;
    enum ft_status st;

    ft_args_init(&a);
    ft_args_int(&a, n);
    st = ft_cases_json(c, sql, &a, json, what, err);
    ft_args_fini(&a);
    return st;
}

enum ft_status ft_cases_histograms(struct ft_cases *c, int hours, char **json, struct ft_err *err)
{
    return ask_number(c, histograms_sql, hours, json, "reading score counts", err);
}

enum ft_status ft_cases_runs(struct ft_cases *c, size_t limit, char **json, struct ft_err *err)
{
    return ask_number(c, runs_sql, (int64_t)limit, json, "reading runs", err);
}

enum ft_status ft_cases_promoted(struct ft_cases *c, size_t limit, char **json, struct ft_err *err)
{
    return ask_number(c, promoted_sql, (int64_t)limit, json, "reading which models were in force",
                      err);
}

enum ft_status ft_cases_handover(struct ft_cases *c, int64_t since_ms, char **json,
                                 struct ft_err *err)
{
    struct ft_case_totals t;
    struct ft_args a;
    enum ft_status st = ft_cases_totals(c, &t, err);

    *json = NULL;
    if (st != FT_OK)
        return st;
    ft_args_init(&a);
    ft_args_int(&a, since_ms);
    ft_args_int(&a, (int64_t)t.open);
    ft_args_int(&a, (int64_t)t.claimed);
    ft_args_int(&a, (int64_t)t.over_limit);
    ft_args_double(&a, (double)c->over_limit_ms / 1000);
    ft_args_int(&a, t.oldest_ms);
    st = ft_cases_json(c, handover_sql, &a, json, "putting the handover together", err);
    ft_args_fini(&a);
    return st;
}
