/* A customer's transactions through a manifest of features alone. */
#ifndef STATE_CASE_H
#define STATE_CASE_H

#include "ft_test.h"
#include "state_rows.h"

static const uint8_t case_secret[16] = {1, 2, 3};

/* Every state feature there is, all empty ones NaN. */
/* clang-format off */
#define CASE_MANIFEST \
    "{\"format\":1,\"name\":\"m\",\"version\":\"1\",\"state\":{\"gap_days\":100,\"history\":3}," \
    "\"stages\":[{\"name\":\"first\",\"features\":[{\"name\":\"amount\"}]}," \
    "{\"name\":\"second\",\"features\":[" CASE_WINDOWS "," CASE_LIFE "," CASE_SCORES "]}]}"
#define CASE_WINDOWS \
    CASE_F("n_1h", "1h", "transaction", "count") \
    "," CASE_F("n_24h", "24h", "transaction", "count") \
    "," CASE_F("n_7d", "7d", "transaction", "count") \
    "," CASE_F("n_today", "today", "transaction", "count") \
    "," CASE_F("sum_24h", "24h", "amount", "sum") \
    "," CASE_F("max_24h", "24h", "amount", "max") \
    "," CASE_F("min_24h", "24h", "amount", "min") \
    "," CASE_F("mean_24h", "24h", "amount", "mean") \
    "," CASE_F("sum_today", "today", "amount", "sum") \
    "," CASE_F("max_today", "today", "amount", "max") \
    "," CASE_F("nights_24h", "24h", "night", "count") \
    "," CASE_F("same_24h", "24h", "category", "count") \
    "," CASE_F("rate_24h", "24h", "transaction", "rate_ratio")
#define CASE_LIFE \
    CASE_F("n", "life", "transaction", "count") \
    "," CASE_F("sum", "life", "amount", "sum") \
    "," CASE_F("mean", "life", "amount", "mean") \
    "," CASE_F("std", "life", "amount", "std") \
    "," CASE_F("max", "life", "amount", "max") \
    "," CASE_F("nights", "life", "night", "count") \
    "," CASE_F("night_share", "life", "night", "share") \
    "," CASE_F("since", "life", "time", "since_last") \
    "," CASE_F("age", "life", "time", "age") \
    "," CASE_F("n_category", "category", "transaction", "count") \
    "," CASE_F("log_category", "category", "log_amount", "mean") \
    "," CASE_F("distinct", "life", "category", "distinct") \
    "," CASE_F("vs_mean", "life", "amount", "log_ratio_mean") \
    "," CASE_F("vs_max", "life", "amount", "log_ratio_max") \
    "," CASE_F("vs_category", "category", "amount", "log_ratio_mean") \
    "," CASE_F("deviation", "life", "amount", "deviation")
#define CASE_SCORES \
    CASE_F("s_last", "life", "score", "last") \
    "," CASE_F("s_ewma", "life", "score", "ewma") \
    "," CASE_F("s_max_24h", "24h", "score", "max") \
    "," CASE_F("s_min_24h", "24h", "score", "min") \
    "," CASE_F("s_mean_24h", "24h", "score", "mean") \
    "," CASE_F("s_max_today", "today", "score", "max") \
    "," CASE_F("s_above_24h", "24h", "score", "count_above") \
    ",{\"name\":\"first\",\"stage\":\"first\"}"
/* clang-format on */

struct state_case {
    struct ft_scorer *s;
    struct ft_score_scratch *x;
    struct ft_state *state;
};

static inline struct state_case case_new(const char *manifest)
{
    struct state_case c;
    struct ft_err err = {""};

    if (ft_scorer_build(&c.s, "m", "m", ft_span_of(manifest), case_no_file, NULL,
                        FT_SCORER_FEATURES, &err) != FT_OK)
        fail_msg("%s", err.text);
    c.x = ft_score_scratch_new(c.s);
    c.state = ft_state_new(c.s, case_secret);
    assert_non_null(c.x);
    assert_non_null(c.state);
    return c;
}

static inline void case_free(struct state_case *c)
{
    ft_state_free(c->state);
    ft_score_scratch_free(c->x);
    ft_scorer_free(c->s);
}

/* Lets a transaction live; its features can be asked for until the next one. */
static inline struct ft_scored case_live_txn(struct state_case *c, const struct ft_txn *t,
                                             double first)
{
    struct ft_scored got;

    ft_score_want_history(c->x, 0);
    ft_score_features(c->s, c->x, c->state, &t, 1, &first, &got);
    if (got.status != FT_OK)
        fail_msg("%s", ft_score_reason(c->x, 0));
    return got;
}

static inline void case_live(struct state_case *c, const struct case_row *r)
{
    struct ft_txn t = case_txn(r);

    case_live_txn(c, &t, r->first);
}

static inline void case_text(const struct state_case *c, const char *feature, char out[64])
{
    struct ft_feature_info info;

    for (size_t f = 0; ft_scorer_stage_feature(c->s, 1, f, &info); f++)
        if (strcmp(info.name, feature) == 0) {
            ft_score_value(c->s, c->x, 1, 0, f, out, 64);
            return;
        }
    fail_msg("there is no feature %s", feature);
}

static inline double case_value(const struct state_case *c, const char *feature)
{
    char text[64];

    case_text(c, feature, text);
    return *text ? strtod(text, NULL) : (double)NAN;
}

#define assert_feature(c, feature, want) assert_near(case_value(c, feature), want, 1e-12)
#define assert_empty(c, feature) assert_true(isnan(case_value(c, feature)))

#endif
