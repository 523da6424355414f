/* Inside of a cases handle, for pg_cases*.c. */
#ifndef FT_PG_CASES_H
#define FT_PG_CASES_H

#include "fraudtop/cases.h"
#include "fraudtop/filter.h"
#include "pg.h"

#define FT_CASES_MS 5000 /* the server's own limit is 2 s */
#define FT_CASES_COUNTS 7

struct ft_cases {
    PGconn *read, *write;
    char *conninfo;
    char who[64];
    bool read_only, masked, hide, may_write, can_write, swept;
    bool unsure;       /* whether the last event was written is not known */
    unsigned prepared; /* bits of enum polled */
    int64_t over_limit_ms, claim_ms, undo_ms;
    int64_t adopted_ms;              /* monotonic: when rows of others were looked for */
    uint64_t count[FT_CASES_COUNTS]; /* of the queue, as counted at counted_ms (0: never) */
    int64_t counted_ms, count_took_ms;
};

/* The parameters of a statement, as texts. */
#define FT_ARGS 200
struct ft_args {
    const char *value[FT_ARGS];
    int n;
    struct ft_buf text; /* of numbers and copies; values point into it only after ft_args_end */
    size_t at[FT_ARGS]; /* SIZE_MAX: value is the caller's */
};
void ft_args_init(struct ft_args *a);
void ft_args_fini(struct ft_args *a);
int ft_args_text(struct ft_args *a, const char *text); /* number of the parameter; NULL is NULL */
int ft_args_int(struct ft_args *a, int64_t v);
int ft_args_double(struct ft_args *a, double v);

/* Runs a query of ours with these parameters over the reading connection. */
enum ft_status ft_cases_query(struct ft_cases *c, const char *sql, struct ft_args *a,
                              PGresult **res, const char *what, struct ft_err *err);
/* The same, for an answer of one JSON value; FT_END: no row. */
enum ft_status ft_cases_json(struct ft_cases *c, const char *sql, struct ft_args *a, char **json,
                             const char *what, struct ft_err *err);
/* The writing connection, opened when it is not there; FT_EUSAGE when nothing may be written. */
enum ft_status ft_cases_writer(struct ft_cases *c, struct ft_err *err);
/* Makes cases of what others wrote to fraud_scores, at most once a second. */
void ft_cases_adopt(struct ft_cases *c);
/* "8f31c2" to the whole id. */
enum ft_status ft_cases_id(struct ft_cases *c, const char *id, char out[FT_UUID_TEXT + 1],
                           struct ft_err *err);

/* Appends " AND (...)" for each term of the filter; values become parameters. */
void ft_pg_filter(const struct ft_filter *f, bool masked, struct ft_buf *sql, struct ft_args *a);
bool ft_filter_has(const struct ft_filter *f, enum ft_filter_field field);

/* ---- pieces of SQL: c is a row of fraudtop_cases ---- */

#define SQL_TIME(t) "to_char(" t " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"
#define SQL_STATUS                                                                                 \
    "CASE WHEN c.status = 'snoozed' AND c.snoozed_until <= now() THEN 'open' ELSE c.status END"
#define SQL_CLAIMED "CASE WHEN c.claimed_until > now() THEN c.claimed_by END"
/* What the review is about now: implies the condition of the partial indexes. */
#define SQL_OPEN                                                                                   \
    "c.flagged AND c.status IN ('open', 'snoozed')"                                                \
    " AND (c.status = 'open' OR c.snoozed_until <= now())"
/* Names and streets hidden in answers: the session's setting (ft_cases_opts.hide). */
#define SQL_HIDE "coalesce(current_setting('fraudtop.hide', true), '') = 'on'"
#define SQL_DATA                                                                                   \
    "(CASE WHEN " SQL_HIDE " AND c.data IS NOT NULL THEN c.data || (SELECT"                        \
    " coalesce(jsonb_object_agg(key, CASE key WHEN 'street' THEN '***'"                            \
    " ELSE left(value #>> '{}', 1) || '.' END), '{}') FROM jsonb_each(c.data)"                     \
    " WHERE key IN ('name_1', 'street')) ELSE c.data END)"
/* All of it lies in the row: no JSON document is read for a list. */
/* clang-format off */
#define SQL_CASE_MEMBERS                                                                           \
    "'transaction_id', c.transaction_id, 'score', c.score, 'threshold', c.threshold,"              \
    " 'model', (SELECT name FROM fraudtop_models m WHERE m.model = c.model),"                      \
    " 'amount', c.amount::text, 'event', c.event, 'arrived', " SQL_TIME("c.scored_at") ","         \
    " 'merchant', c.merchant, 'category', c.category,"                                            \
    " 'name_1', CASE WHEN " SQL_HIDE " THEN left(c.name_1, 1) || '.' ELSE c.name_1 END,"           \
    " 'name_2', c.name_2, 'street', CASE WHEN " SQL_HIDE " AND c.street IS NOT NULL THEN '***'"    \
    " ELSE c.street END, 'city', c.city, 'state', c.us_state, 'gender', c.gender,"                 \
    " 'distance_km', c.distance_km, 'why', c.why, 'status', " SQL_STATUS ","                       \
    " 'claimed_by', " SQL_CLAIMED ","                                                              \
    " 'claimed_at', CASE WHEN c.claimed_until > now() THEN " SQL_TIME("c.claimed_at") " END,"      \
    " 'snoozed_until', " SQL_TIME("c.snoozed_until") ","                                           \
    " 'decided_at', " SQL_TIME("c.decided_at") ", 'decided_by', c.decided_by,"                     \
    " 'label', c.label, 'sampled', c.sampled, 'number', c.number"
/* clang-format on */

#endif
