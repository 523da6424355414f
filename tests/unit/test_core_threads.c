/* One model for many threads: scores and reasons are the same in all, also while leaves are remembered.  For tsan, too. */
#include <pthread.h>

#include "vectors.h"

#define THREADS 4
#define ROWS 40
#define FEATURES 32

struct worker {
    const struct fc_model *m;
    const struct table *rows;
    double raw[ROWS], value[ROWS][FEATURES];
    bool failed;
};

static void *work(void *user)
{
    struct worker *w = user;
    struct fc_scratch *s = fc_scratch_new(w->m, ROWS);
    double base;

    w->failed = !s;
    for (size_t i = 0; s && i < ROWS; i++)
        vectors_put(w->m, s, i, w->rows, i);
    for (int turn = 0; s && turn < 3; turn++) {
        fc_eval(w->m, s, ROWS, w->raw);
        for (size_t i = 0; i < ROWS; i++)
            w->failed |= fc_shap(w->m, s, i, w->value[i], &base, NULL) != FC_OK;
    }
    fc_scratch_free(s);
    return NULL;
}

static void check(const char *name)
{
    struct worker *w = calloc(THREADS, sizeof(*w));
    pthread_t thread[THREADS];
    struct table rows;
    struct fc_model *m;
    char path[512];

    assert_non_null(w);
    snprintf(path, sizeof(path), VECTORS "%s/rows.csv", name);
    rows = vectors_csv(path);
    assert_true(rows.n_rows > ROWS && rows.n_cols <= FEATURES);
    snprintf(path, sizeof(path), VECTORS "%s/model.cbm", name);
    m = vectors_load(path);
    for (size_t i = 0; i < THREADS; i++) {
        w[i].m = m;
        w[i].rows = &rows;
        assert_int_equal(pthread_create(&thread[i], NULL, work, &w[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(thread[i], NULL), 0);
    for (size_t i = 0; i < THREADS; i++) {
        assert_false(w[i].failed);
        assert_memory_equal(w[i].raw, w[0].raw, sizeof(w[0].raw));
        assert_memory_equal(w[i].value, w[0].value, sizeof(w[0].value));
    }
    fc_model_free(m);
    free(w);
}

static void many_threads_use_one_model(void **state)
{
    static const char *const names[] = {"ctr_default", "depth_10", "lossguide", "depthwise"};

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        check(names[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_threads_use_one_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
