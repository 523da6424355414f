/* Every kind of model that CatBoost 1.2.8 writes: raw scores and probabilities equal CatBoost's. */
#include "vectors.h"

static void check_rows(const char *name, const struct fc_model *m, const struct table *rows,
                       const struct table *expected)
{
    struct fc_scratch *s = fc_scratch_new(m, rows->n_rows - 1);
    double raw[FC_MAX_ROWS];

    assert_non_null(s);
    assert_int_equal(rows->n_rows, expected->n_rows);
    for (size_t i = 0; i + 1 < rows->n_rows; i++)
        vectors_put(m, s, i, rows, i);
    fc_eval(m, s, rows->n_rows - 1, raw);
    for (size_t i = 0; i + 1 < rows->n_rows; i++) {
        double want = strtod(cell(expected, i + 1, 0), NULL);
        const char *p = cell(expected, i + 1, 1);

        if (raw[i] != want)
            fail_msg("%s, row %zu: raw %.17g, CatBoost says %.17g", name, i, raw[i], want);
        if (*p && fabs(fc_sigmoid(raw[i]) - strtod(p, NULL)) > 1e-15)
            fail_msg("%s, row %zu: p %.17g, CatBoost says %s", name, i, fc_sigmoid(raw[i]), p);
    }
    fc_scratch_free(s);
}

static void every_cbm_scores_as_catboost_does(void **state)
{
    const cJSON *cases = cJSON_GetObjectItem(vectors_manifest(), "cases"), *c;
    int n = 0;

    (void)state;
    cJSON_ArrayForEach(c, cases)
    {
        const char *name = vectors_text(c, "name"), *loss = vectors_text(c, "loss");
        char path[512];
        struct table rows, expected;
        struct fc_model *m;
        const struct fc_info *info;

        snprintf(path, sizeof(path), VECTORS "%s/rows.csv", name);
        rows = vectors_csv(path);
        snprintf(path, sizeof(path), VECTORS "%s/expected.csv", name);
        expected = vectors_csv(path);
        snprintf(path, sizeof(path), VECTORS "%s/model.cbm", name);
        m = vectors_load(path);
        info = fc_model_info(m);
        assert_true(info->n_trees == (size_t)vectors_number(c, "trees"));
        assert_true(info->symmetric == vectors_true(c, "symmetric"));
        assert_near(info->scale, vectors_number(c, "scale"), 0);
        assert_near(info->bias, vectors_number(c, "bias"), 0);
        assert_true(info->is_probability ==
                    (strcmp(loss, "Logloss") == 0 || strcmp(loss, "CrossEntropy") == 0));
        check_rows(name, m, &rows, &expected);
        fc_model_free(m);
        n++;
    }
    assert_int_equal(n, 45);
}

static void features_are_known_by_name_and_place(void **state)
{
    const cJSON *cases = cJSON_GetObjectItem(vectors_manifest(), "cases"), *c, *column;

    (void)state;
    cJSON_ArrayForEach(c, cases)
    {
        const cJSON *columns = cJSON_GetObjectItem(c, "columns");
        bool no_names = strcmp(vectors_text(c, "name"), "no_names") == 0;
        char path[512];
        struct fc_model *m;
        size_t i = 0;

        snprintf(path, sizeof(path), VECTORS "%s/model.cbm", vectors_text(c, "name"));
        m = vectors_load(path);
        assert_true(fc_model_info(m)->has_names == !no_names);
        cJSON_ArrayForEach(column, columns)
        {
            const struct fc_feature *f = fc_model_feature(m, i);
            const char *name = vectors_text(column, "name");
            bool is_cat = strcmp(vectors_text(column, "type"), "float") != 0;

            assert_non_null(f);
            assert_string_equal(f->name, name);
            assert_int_equal(f->kind, is_cat ? FC_CATEGORICAL : FC_NUMERIC);
            assert_true(fc_model_find(m, name, strlen(name)) == (long)i);
            i++;
        }
        assert_int_equal(i, fc_model_info(m)->n_features);
        assert_null(fc_model_feature(m, i));
        assert_true(fc_model_find(m, "no such feature", 15) == -1);
        fc_model_free(m);
    }
}

static void what_cannot_be_scored_is_refused_with_a_reason(void **state)
{
    const cJSON *list = cJSON_GetObjectItem(vectors_manifest(), "reject"), *c;
    int n = 0;

    (void)state;
    cJSON_ArrayForEach(c, list)
    {
        struct fc_model *m = (void *)&n;
        struct fc_err err = {""};
        char path[512];
        size_t size;
        char *bytes;
        enum fc_status st;

        snprintf(path, sizeof(path), VECTORS "%s", vectors_text(c, "file"));
        bytes = vectors_file(path, &size);
        assert_non_null(bytes);
        st = fc_model_load(&m, bytes, size, &err);
        print_message("%-34s %s\n", vectors_text(c, "file"), err.text);
        assert_true(st == FC_EFORMAT || st == FC_EUNSUPPORTED);
        assert_null(m);
        assert_true(strlen(err.text) > 10);
        free(bytes);
        n++;
    }
    assert_int_equal(n, 39);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cbm_scores_as_catboost_does),
        cmocka_unit_test(features_are_known_by_name_and_place),
        cmocka_unit_test(what_cannot_be_scored_is_refused_with_a_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
