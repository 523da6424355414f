/* Scores do not depend on the number of rows, their order, their place in the block, or the instruction set. */
#include "vectors.h"

static const char *const paths[] = {"portable", "avx2", "avx512", "avx512vbmi"};

static double one_row(const struct fc_model *m, struct fc_scratch *s, const struct table *rows,
                      size_t row)
{
    double raw;

    vectors_put(m, s, 0, rows, row);
    fc_eval(m, s, 1, &raw);
    return raw;
}

/* n rows at once, each the row that a walk through the table gives. */
static void check_batch(const char *name, const struct fc_model *m, struct fc_scratch *s,
                        const struct table *rows, const double *want, size_t n)
{
    static double raw[FC_MAX_ROWS];
    size_t n_rows = rows->n_rows - 1;

    for (size_t i = 0; i < n; i++)
        vectors_put(m, s, i, rows, (i * 37 + n) % n_rows);
    fc_eval(m, s, n, raw);
    for (size_t i = 0; i < n; i++)
        if (memcmp(&raw[i], &want[(i * 37 + n) % n_rows], sizeof(*raw)) != 0)
            fail_msg("%s, %s, row %zu of %zu: %.17g, alone %.17g", name, fc_scratch_path(s), i, n,
                     raw[i], want[(i * 37 + n) % n_rows]);
}

static void check_model(const char *name, const struct fc_model *m, const struct table *rows)
{
    static const size_t sizes[] = {1, 2, 8, 9, 63, 64, 65, 256, 1000};
    struct fc_scratch *alone = fc_scratch_new(m, 1), *s = fc_scratch_new(m, 1000);
    double want[1024];

    assert_non_null(alone);
    assert_non_null(s);
    assert_true(rows->n_rows - 1 <= 1024);
    for (size_t i = 0; i + 1 < rows->n_rows; i++)
        want[i] = one_row(m, alone, rows, i);
    for (size_t p = 0; p < sizeof(paths) / sizeof(paths[0]); p++)
        for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++)
            if (fc_scratch_use(s, paths[p]))
                check_batch(name, m, s, rows, want, sizes[k]);
    assert_true(fc_scratch_use(s, "portable"));
    assert_false(fc_scratch_use(s, "no such path"));
    assert_string_equal(fc_scratch_path(s), "portable");
    fc_scratch_free(alone);
    fc_scratch_free(s);
}

static void every_vector_scores_alike_in_every_way(void **state)
{
    const cJSON *cases = cJSON_GetObjectItem(vectors_manifest(), "cases"), *c;

    (void)state;
    cJSON_ArrayForEach(c, cases)
    {
        const char *name = vectors_text(c, "name");
        char path[512];
        struct table rows;
        struct fc_model *m;

        snprintf(path, sizeof(path), VECTORS "%s/rows.csv", name);
        rows = vectors_csv(path);
        snprintf(path, sizeof(path), VECTORS "%s/model.cbm", name);
        m = vectors_load(path);
        check_model(name, m, &rows);
        fc_model_free(m);
    }
}

/* ---- trees of many leaves, features of many borders ---- */

/* A tree over the borders from .. to-1 of feature 0: the leaf of x is the number of borders below x.  Eighths of the
 * borders are asked on a node's left: 4 is a balanced tree, 0 and 8 are chains. */
static size_t add_node(char *out, int from, int to, int eighths)
{
    int mid = from + (to - from) * eighths / 8 - (eighths == 8);
    size_t n;

    if (from == to)
        return (size_t)sprintf(out, "{\"value\":%d.5,\"weight\":1}", from);
    n = (size_t)sprintf(out, "{\"split\":{\"split_index\":%d},\"left\":", mid);
    n += add_node(out + n, from, mid, eighths);
    n += (size_t)sprintf(out + n, ",\"right\":");
    n += add_node(out + n, mid + 1, to, eighths);
    return n + (size_t)sprintf(out + n, "}");
}

/* n borders 0, 1, ... and trees that count how many of them are exceeded. */
static struct fc_model *counting_model(int n_borders, int n_trees, int eighths)
{
    char *text = malloc((size_t)200 * (size_t)n_borders * (size_t)n_trees + 1000), *p = text;
    struct fc_model *m;
    struct fc_err err;

    assert_non_null(text);
    p += sprintf(p, "{\"features_info\":{\"float_features\":[{\"feature_index\":0,"
                    "\"flat_feature_index\":0,\"has_nans\":false,\"borders\":[");
    for (int i = 0; i < n_borders; i++)
        p += sprintf(p, "%s%d", i ? "," : "", i);
    p += sprintf(p, "]}]},\"trees\":[");
    for (int t = 0; t < n_trees; t++) {
        p += sprintf(p, "%s", t ? "," : "");
        p += add_node(p, 0, n_borders, eighths);
    }
    p += sprintf(p, "]}");
    if (fc_model_load(&m, text, (size_t)(p - text), &err) != FC_OK)
        fail_msg("%s", err.text);
    free(text);
    return m;
}

static void check_counts(int n_borders, int n_trees, int eighths)
{
    struct fc_model *m = counting_model(n_borders, n_trees, eighths);
    struct fc_scratch *s = fc_scratch_new(m, 1024);
    static double raw[1024];

    assert_non_null(s);
    for (size_t p = 0; p < sizeof(paths) / sizeof(paths[0]); p++) {
        if (!fc_scratch_use(s, paths[p]))
            continue;
        for (size_t i = 0; i < 1024; i++)
            fc_put_num(s, i, 0, (double)i - 1.5);
        for (size_t n = 1; n <= 1024; n *= 4) {
            fc_eval(m, s, n, raw);
            for (size_t i = 0; i < n; i++) {
                int above = i < 2 ? 0 : (int)i - 1 > n_borders ? n_borders : (int)i - 1;

                assert_near(raw[i], n_trees * (above + 0.5), 0);
            }
        }
    }
    fc_scratch_free(s);
    fc_model_free(m);
}

static void trees_of_every_size_count_borders(void **state)
{
    (void)state;
    check_counts(1, 3, 4);
    check_counts(24, 1, 4);
    check_counts(25, 1, 4);
    check_counts(62, 2, 4);
    check_counts(63, 2, 4);
    check_counts(64, 2, 4);
    check_counts(190, 2, 4);
    check_counts(191, 2, 4); /* 192 leaves: the most that are asked for a block at once */
    check_counts(192, 2, 4); /* 193: from its top on they are walked */
    check_counts(255, 1, 4); /* one column of borders */
    check_counts(256, 1, 4); /* two */
    check_counts(900, 3, 4);
    check_counts(3, 3000, 4);
}

static void trees_of_every_shape_count_borders(void **state)
{
    (void)state;
    for (int eighths = 0; eighths <= 8; eighths++) {
        check_counts(64, 2, eighths); /* chains of the greatest depth */
        check_counts(eighths % 8 ? 150 : 63, 2, eighths);
        check_counts(eighths % 8 ? 600 : 33, 2, eighths);
    }
}

static void what_is_not_put_is_missing(void **state)
{
    struct fc_model *m = vectors_load(VECTORS "ctr_default/model.cbm");
    struct fc_scratch *fresh = fc_scratch_new(m, 1), *put = fc_scratch_new(m, 1);
    double a, b;

    (void)state;
    for (size_t f = 0; f < fc_model_info(m)->n_features; f++) {
        fc_put_num(put, 0, f, (double)NAN); /* what is of the other kind, or nowhere, is ignored */
        fc_put_cat(put, 0, f, "", 0);
        fc_put_num(put, 7, f, 1);
        fc_put_cat(put, 0, 1000 + f, "x", 1);
    }
    fc_eval(m, fresh, 1, &a);
    fc_eval(m, put, 1, &b);
    assert_memory_equal(&a, &b, sizeof(a));
    fc_scratch_free(fresh);
    fc_scratch_free(put);
    fc_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_vector_scores_alike_in_every_way),
        cmocka_unit_test(trees_of_every_size_count_borders),
        cmocka_unit_test(trees_of_every_shape_count_borders),
        cmocka_unit_test(what_is_not_put_is_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
