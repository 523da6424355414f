/* SHAP values and importance: CatBoost's own where it gives them, and sums that hold everywhere. */
#include "vectors.h"

/* One case of the manifest with its model and rows. */
struct vector {
    const char *name;
    const cJSON *about;
    struct fc_model *m;
    struct fc_scratch *s;
    struct table rows;
    double raw[FC_MAX_ROWS];
    size_t n_features, n_rows;
};

static void load(struct vector *v, const cJSON *about)
{
    char path[512];

    v->about = about;
    v->name = vectors_text(about, "name");
    snprintf(path, sizeof(path), VECTORS "%s/model.cbm", v->name);
    v->m = vectors_load(path);
    snprintf(path, sizeof(path), VECTORS "%s/rows.csv", v->name);
    v->rows = vectors_csv(path);
    v->n_rows = v->rows.n_rows - 1;
    v->n_features = fc_model_info(v->m)->n_features;
    v->s = fc_scratch_new(v->m, v->n_rows);
    assert_non_null(v->s);
    for (size_t i = 0; i < v->n_rows; i++)
        vectors_put(v->m, v->s, i, &v->rows, i);
    fc_eval(v->m, v->s, v->n_rows, v->raw);
}

static void unload(struct vector *v)
{
    fc_scratch_free(v->s);
    fc_model_free(v->m);
}

static void contributions_are_those_of_catboost(void **state)
{
    const cJSON *cases = cJSON_GetObjectItem(vectors_manifest(), "cases"), *c;
    int n = 0;

    (void)state;
    cJSON_ArrayForEach(c, cases)
    {
        struct vector v;
        struct table want;
        char path[512];

        if (!vectors_true(c, "shap"))
            continue;
        load(&v, c);
        snprintf(path, sizeof(path), VECTORS "%s/shap.csv", v.name);
        want = vectors_csv(path);
        assert_int_equal(want.n_cols, v.n_features + 1);
        for (size_t i = 0; i + 1 < want.n_rows; i++) {
            double value[64], base, most = 1;
            struct fc_err err;

            assert_int_equal(fc_shap(v.m, v.s, i, value, &base, &err), FC_OK);
            for (size_t f = 0; f < v.n_features; f++)
                most = fmax(most, fabs(value[f]));
            for (size_t f = 0; f < v.n_features; f++)
                if (!(fabs(value[f] - strtod(cell(&want, i + 1, f), NULL)) <= 1e-13 * most))
                    fail_msg("%s, row %zu, feature %zu: %.17g, CatBoost says %s", v.name, i, f,
                             value[f], cell(&want, i + 1, f));
            assert_near(base, strtod(cell(&want, i + 1, v.n_features), NULL), 1e-13 * most);
        }
        unload(&v);
        n++;
    }
    assert_int_equal(n, 40);
}

static void contributions_and_base_add_up_to_the_raw_score(void **state)
{
    const cJSON *cases = cJSON_GetObjectItem(vectors_manifest(), "cases"), *c;

    (void)state;
    cJSON_ArrayForEach(c, cases)
    {
        struct vector v;

        load(&v, c);
        for (size_t i = 0; i < v.n_rows; i++) {
            double value[64], sum, most;
            struct fc_err err;

            assert_int_equal(fc_shap(v.m, v.s, i, value, &sum, &err), FC_OK);
            most = fmax(fabs(v.raw[i]), fabs(sum));
            for (size_t f = 0; f < v.n_features; f++) {
                sum += value[f];
                most = fmax(most, fabs(value[f]));
            }
            if (!(fabs(sum - v.raw[i]) <= 1e-14 * most))
                fail_msg("%s, row %zu: sum %.17g, raw %.17g", v.name, i, sum, v.raw[i]);
        }
        unload(&v);
    }
}

static void a_second_look_at_a_row_gives_the_same_bits(void **state)
{
    const cJSON *cases = cJSON_GetObjectItem(vectors_manifest(), "cases"), *c;

    (void)state;
    cJSON_ArrayForEach(c, cases)
    {
        struct vector v;

        load(&v, c);
        for (size_t i = 0; i < v.n_rows;
             i += 7) { /* the second time from what was stored of the leaves */
            double first[64], second[64], base[2];
            struct fc_err err;

            assert_int_equal(fc_shap(v.m, v.s, i, first, &base[0], &err), FC_OK);
            assert_int_equal(fc_shap(v.m, v.s, i, second, &base[1], &err), FC_OK);
            assert_memory_equal(first, second, v.n_features * sizeof(double));
            assert_memory_equal(&base[0], &base[1], sizeof(double));
        }
        unload(&v);
    }
}

static void importance_is_that_of_catboost(void **state)
{
    const cJSON *cases = cJSON_GetObjectItem(vectors_manifest(), "cases"), *c;
    int n = 0;

    (void)state;
    cJSON_ArrayForEach(c, cases)
    {
        struct vector v;
        struct table want;
        double percent[64];
        struct fc_err err;
        char path[512];

        if (!vectors_true(c, "importance"))
            continue;
        load(&v, c);
        snprintf(path, sizeof(path), VECTORS "%s/importance.csv", v.name);
        want = vectors_csv(path);
        assert_int_equal(fc_importance(v.m, percent, &err), FC_OK);
        for (size_t f = 0; f < v.n_features; f++)
            assert_near(percent[f], strtod(cell(&want, f + 1, 1), NULL), 1e-12);
        unload(&v);
        n++;
    }
    assert_int_equal(n, 45);
}

static void splits_without_effect_have_no_importance(void **state)
{
    static const char *const texts[] = {
        "{\"features_info\":{\"float_features\":[{\"feature_index\":0,\"flat_feature_index\":0,"
        "\"borders\":[0.5]}]},\"oblivious_trees\":[{\"splits\":[{\"split_index\":0}],"
        "\"leaf_values\":[0.25,0.25],\"leaf_weights\":[3,4]}]}",
        "{\"features_info\":{\"float_features\":[{\"feature_index\":0,\"flat_feature_index\":0,"
        "\"borders\":[0.5]}]},\"trees\":[{\"split\":{\"split_index\":0},"
        "\"left\":{\"value\":1e200,\"weight\":3},\"right\":{\"value\":0,\"weight\":4}}]}"};

    (void)state;
    for (size_t i = 0; i < 2; i++) { /* the second: effects that are infinite */
        struct fc_model *m;
        struct fc_err err = {""};
        double percent = -1;

        if (fc_model_load(&m, texts[i], strlen(texts[i]), &err) != FC_OK)
            fail_msg("%s", err.text);
        assert_int_equal(fc_importance(m, &percent, &err), FC_OK);
        assert_true(percent == 0);
        fc_model_free(m);
    }
}

static void a_row_that_is_not_there_is_told_as_that(void **state)
{
    struct fc_model *m = vectors_load(VECTORS "float_only/model.cbm");
    struct fc_scratch *s = fc_scratch_new(m, 3);
    struct fc_err err = {""};
    double values[64], base;

    (void)state;
    assert_int_equal(fc_shap(m, s, 2, values, &base, &err), FC_OK);
    assert_int_equal(fc_shap(m, s, 3, values, &base, &err), FC_EMISSING);
    assert_string_equal(err.text, "row 3 is not there: the scratch has 3");
    fc_scratch_free(s);
    fc_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contributions_are_those_of_catboost),
        cmocka_unit_test(contributions_and_base_add_up_to_the_raw_score),
        cmocka_unit_test(a_second_look_at_a_row_gives_the_same_bits),
        cmocka_unit_test(importance_is_that_of_catboost),
        cmocka_unit_test(splits_without_effect_have_no_importance),
        cmocka_unit_test(a_row_that_is_not_there_is_told_as_that),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
