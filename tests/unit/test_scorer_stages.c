/* Stages and state together, with models of the vectors under features of our own; what-if. */
#include "staged_case.h"

/* ---- a life in batches ------------------------------------------------------------------------------ */

enum { ROWS = 700 };

struct life {
    char time[ROWS][24], amount[ROWS][16];
    struct ft_txn txn[ROWS];
};

static struct life *make_life(void)
{
    static const char *const kinds[] = {"home", "travel", "misc_net"};
    static const char *const who[] = {"a", "b", "c", "d"};
    struct life *l = calloc(1, sizeof(*l));

    for (int i = 0; i < ROWS; i++) {
        struct case_row r = {l->time[i], l->amount[i], kinds[i * 7 % 3], who[i * i % 4], 0};

        snprintf(l->time[i], sizeof(l->time[i]), "2020-03-%02d %02d:%02d", 1 + i / 40, i * 5 % 24,
                 i * 11 % 60);
        snprintf(l->amount[i], sizeof(l->amount[i]), "%d.%02d", i * 37 % 500, i * 13 % 100);
        l->txn[i] = case_txn(&r);
    }
    return l;
}

static void score_life(struct state_case *c, struct life *l, size_t batch, double *raw)
{
    ft_state_free(c->state);
    c->state = ft_state_new(c->s, case_secret);
    for (size_t i = 0; i < ROWS; i += batch) {
        const struct ft_txn *rows[FT_SCORE_BATCH];
        struct ft_scored got[FT_SCORE_BATCH];
        size_t n = ROWS - i < batch ? ROWS - i : batch;

        for (size_t k = 0; k < n; k++)
            rows[k] = &l->txn[i + k];
        ft_score_batch(c->s, c->x, c->state, rows, n, 0.5, got);
        for (size_t k = 0; k < n; k++) {
            assert_int_equal(got[k].status, FT_OK);
            raw[i + k] = got[k].raw;
        }
    }
}

static void batches_do_not_change_scores(const char *manifest)
{
    struct state_case c = staged(manifest);
    struct life *l = make_life();
    double want[ROWS], got[ROWS], least = INFINITY, most = -INFINITY;

    score_life(&c, l, 1, want);
    for (size_t batch = 2; batch <= FT_SCORE_BATCH; batch = batch * 3 + 1) {
        score_life(&c, l, batch, got);
        assert_memory_equal(got, want, sizeof(want));
    }
    for (int i = 0; i < ROWS; i++) {
        least = want[i] < least ? want[i] : least;
        most = want[i] > most ? want[i] : most;
    }
    assert_true(most - least > 0.1); /* the examples do differ */
    free(l);
    case_free(&c);
}

static void a_batch_scores_as_its_rows_do(void **state)
{
    (void)state;
    batches_do_not_change_scores(STAGED(FIRST_PLAIN));
}

static void also_where_the_first_stage_has_state(void **state)
{
    (void)state;
    batches_do_not_change_scores(STAGED(FIRST_STATE));
}

/* ---- what a stage sees ------------------------------------------------------------------------------ */

static void the_second_stage_sees_the_first(void **state)
{
    struct state_case c = staged(STAGED(FIRST_PLAIN));
    struct life *l = make_life();
    struct ft_stage_info g;
    double last = (double)NAN;

    (void)state;
    assert_true(ft_scorer_stage(c.s, 0, &g));
    for (int i = 0; i < 50; i++) {
        const struct ft_txn *one = &l->txn[i];
        struct fc_scratch *x = fc_scratch_new(g.model, 1);
        struct ft_scored got;
        double first;
        char text[64];

        l->txn[i].col[FT_COL_NAME_1] = case_cell("a");
        snprintf(l->time[i], sizeof(l->time[i]), "2020-03-01 %02d:%02d", i / 6, i * 10 % 60);
        ft_score_batch(c.s, c.x, c.state, &one, 1, 0.5, &got);
        for (size_t f = 0; f < 5; f++) {
            ft_score_value(c.s, c.x, 0, 0, f, text, sizeof(text));
            fc_put_num(x, 0, f, strtod(text, NULL));
        }
        fc_eval(g.model, x, 1, &first);
        fc_scratch_free(x);
        assert_near(case_value(&c, "num_xfdm"), first, 0);
        if (i)
            assert_near(case_value(&c, "num_stcu"), (double)(float)last, 0);
        last = first;
    }
    free(l);
    case_free(&c);
}

/* ---- what if ---------------------------------------------------------------------------------------- */

static double what_if(const struct state_case *c, const char *json, const char *name,
                      const char *value)
{
    struct ft_err err = {""};
    double raw, score;

    if (ft_score_what_if(c->s, ft_span_of(json), name, ft_span_of(value), &raw, &score, &err) !=
        FT_OK)
        fail_msg("%s", err.text);
    assert_near(score, 1 / (1 + exp(-raw)), 1e-15);
    return raw;
}

/* Scores row i of a life after those before it, with another cell. */
static double score_with(struct state_case *c, struct life *l, int i, enum ft_col col,
                         const char *text, struct ft_buf *json)
{
    struct ft_txn t;
    const struct ft_txn *one = &t;
    struct ft_scored got;

    ft_state_free(c->state);
    c->state = ft_state_new(c->s, case_secret);
    for (int k = 0; k <= i; k++) {
        t = l->txn[k];
        if (k == i && text)
            t.col[col] = case_cell(text);
        ft_score_batch(c->s, c->x, c->state, &one, 1, 0.5, &got);
    }
    if (json) {
        ft_buf_clear(json);
        assert_int_equal(ft_score_features_json(c->s, c->x, 0, json), FT_OK);
    }
    return got.raw;
}

static void one_value_changed_scores_as_if_it_had_come_so(void **state)
{
    struct state_case c = staged(STAGED(FIRST_PLAIN));
    struct life *l = make_life();
    struct ft_buf json;

    (void)state;
    ft_buf_init(&json, 1u << 16);
    for (int i = 0; i < 60; i += 7) {
        double raw = score_with(&c, l, i, 0, NULL, &json);

        assert_near(what_if(&c, json.p, NULL, ""), raw, 0);
        assert_near(what_if(&c, json.p, "amount", l->amount[i]), raw, 1e-12);
        assert_near(what_if(&c, json.p, "amount", "800"),
                    score_with(&c, l, i, FT_COL_AMOUNT, "800", NULL), 1e-12);
        assert_near(what_if(&c, json.p, "transaction_time", "2020-03-04 23:59"),
                    what_if(&c, json.p, "transaction_time", "2020-03-04T23:59:00Z"), 0);
    }
    ft_buf_fini(&json);
    free(l);
    case_free(&c);
}

static void what_cannot_be_asked_is_refused(void **state)
{
    struct state_case c = staged(STAGED(FIRST_PLAIN));
    struct life *l = make_life();
    struct ft_err err;
    struct ft_buf json;
    double raw, score;

    (void)state;
    ft_buf_init(&json, 1u << 16);
    score_with(&c, l, 5, 0, NULL, &json);
    assert_int_equal(
        ft_score_what_if(c.s, ft_span_of(json.p), "amount", FT_SPAN("-1"), &raw, &score, &err),
        FT_EINPUT);
    assert_int_equal(
        ft_score_what_if(c.s, ft_span_of(json.p), "street", FT_SPAN("x"), &raw, &score, &err),
        FT_EUSAGE);
    assert_string_equal(err.text, "no feature of the model is made of \"street\"");
    assert_int_equal(ft_score_what_if(c.s, FT_SPAN("{}"), NULL, FT_SPAN(""), &raw, &score, &err),
                     FT_EINPUT);
    assert_int_equal(ft_score_what_if(c.s, FT_SPAN("{"), NULL, FT_SPAN(""), &raw, &score, &err),
                     FT_EINPUT);
    ft_buf_fini(&json);
    free(l);
    case_free(&c);
}

/* ---- words ------------------------------------------------------------------------------------------ */

static void reasons_name_the_past_in_words(void **state)
{
    struct state_case c = staged(STAGED(FIRST_STATE));
    struct case_row rows[] = {
        {"2020-03-02 12:00", "20",  "home",   "a", 0},
        {"2020-03-02 12:20", "40",  "home",   "a", 0},
        {"2020-03-02 12:30", "105", "travel", "a", 0},
    };
    struct ft_reason reason[4];
    struct ft_err err;
    double base;
    size_t n;

    (void)state;
    for (int i = 0; i < 3; i++) {
        struct ft_txn t = case_txn(&rows[i]);
        const struct ft_txn *one = &t;
        struct ft_scored got;

        ft_score_batch(c.s, c.x, c.state, &one, 1, 0.5, &got);
        assert_int_equal(ft_score_reasons(c.s, c.x, 0, reason, 4, &n, &base, &err), FT_OK);
    }
    assert_int_equal(n, 4);
    for (size_t i = 0; i < n; i++)
        if (strcmp(reason[i].feature, "num_xlgx") == 0)
            assert_string_equal(reason[i].text, "3.5 x usual"); /* 105 against 30 */
        else if (strcmp(reason[i].feature, "num_xfdm") == 0)
            assert_string_equal(reason[i].text, "12 h: 55 % alone");
    case_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_scores_as_its_rows_do),
        cmocka_unit_test(also_where_the_first_stage_has_state),
        cmocka_unit_test(the_second_stage_sees_the_first),
        cmocka_unit_test(one_value_changed_scores_as_if_it_had_come_so),
        cmocka_unit_test(what_cannot_be_asked_is_refused),
        cmocka_unit_test(reasons_name_the_past_in_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
