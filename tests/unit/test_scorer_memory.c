/* Memory that runs out, at every allocation in turn: said, nothing lost, no crash. */
#include "ft_alloc.h"
#include "staged_case.h"

static enum ft_status collect(void *user, struct ft_span key, struct ft_span record)
{
    return ft_state_restore(user, key, record, NULL);
}

/* Some transactions of new and known customers, with foreign ids and history. */
static bool live_some(struct state_case *c)
{
    static const char *const who[] = {"a", "b", "a", "a", "c", "a"};
    struct case_row r = {"2020-03-02 13:00", "12.5", "home", NULL, 0};

    for (int i = 0; i < 6; i++) {
        struct ft_txn t;
        const struct ft_txn *one = &t;
        struct ft_scored got;

        r.customer = who[i];
        t = case_txn(&r);
        t.id.b[0] = (uint8_t)(i + 1);
        ft_score_batch(c->s, c->x, c->state, &one, 1, 0.5, &got);
        if (got.status != FT_OK)
            return false;
    }
    return true;
}

static bool explain(struct state_case *c)
{
    struct ft_buf a, b;
    double raw, score;
    bool ok;

    ft_buf_init(&a, 1u << 16);
    ft_buf_init(&b, 1u << 16);
    ok = ft_score_reasons_json(c->s, c->x, 0, 3, &a) == FT_OK;
    ft_buf_clear(&a);
    ok = ok && ft_score_features_json(c->s, c->x, 0, &a) == FT_OK &&
         ft_score_what_if(c->s, (struct ft_span){a.p, a.n}, "amount", FT_SPAN("7"), &raw, &score,
                          NULL) == FT_OK &&
         ft_score_history_json(c->x, 0, &a, &b) == FT_OK;
    ft_buf_fini(&a);
    ft_buf_fini(&b);
    return ok;
}

static int work(void)
{
    struct state_case c = {0};
    struct ft_state *again = NULL;
    struct ft_err err = {""};
    bool ok = ft_scorer_build(&c.s, "m", "m", FT_SPAN(STAGED(FIRST_STATE)), read_vector, NULL, 0,
                              &err) == FT_OK;

    if (ok) {
        c.x = ft_score_scratch_new(c.s);
        c.state = ft_state_new(c.s, case_secret);
        again = ft_state_new(c.s, case_secret);
        ok = c.x && c.state && again && live_some(&c) && explain(&c) &&
             ft_state_changes(c.state, collect, again) == FT_OK &&
             ft_state_customers(again) == ft_state_customers(c.state);
    }
    if (!c.s && ft_alloc_works() && strstr(err.text, "JSON"))
        abort(); /* a lack of memory is told as that */
    ft_state_free(again);
    case_free(&c);
    return ok;
}

static void every_failing_allocation_is_survived(void **state)
{
    (void)state;
    if (!ft_alloc_works())
        skip();
    assert_true(ft_alloc_try_all(work) > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_failing_allocation_is_survived)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
