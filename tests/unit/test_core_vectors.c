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

static void check_case(const cJSON *c, const char *form)
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
    snprintf(path, sizeof(path), VECTORS "%s/%s", name, form);
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
}

static void every_cbm_scores_as_catboost_does(void **state)
{
    const cJSON *cases = cJSON_GetObjectItem(vectors_manifest(), "cases"), *c;
    int n = 0;

    (void)state;
    cJSON_ArrayForEach(c, cases)
    {
        check_case(c, "model.cbm");
        n++;
    }
    assert_int_equal(n, 45);
}

static void every_json_scores_as_catboost_does(void **state)
{
    const cJSON *cases = cJSON_GetObjectItem(vectors_manifest(), "cases"), *c;
    int n = 0;

    (void)state;
    cJSON_ArrayForEach(c, cases)
    {
        if (!vectors_true(c, "json"))
            continue;
        check_case(c, "model.json");
        n++;
    }
    assert_int_equal(n, 38);
}

static void json_and_cbm_hold_the_same_metadata(void **state)
{
    struct fc_model *cbm = vectors_load(VECTORS "class_names/model.cbm");
    struct fc_model *json = vectors_load(VECTORS "class_names/model.json");
    cJSON *a, *b;
    static const char *const keys[] = {"model_guid", "train_finish_time"};
    const char *key, *value;
    size_t key_n, value_n, n = 0;

    (void)state;
    for (size_t i = 0; i < 2; i++)
        assert_string_equal(fc_model_meta(cbm, keys[i], NULL), fc_model_meta(json, keys[i], NULL));
    a = cJSON_Parse(fc_model_meta(cbm, "params", NULL));
    b = cJSON_Parse(fc_model_meta(json, "params", NULL));
    assert_true(cJSON_Compare(a, b, true));
    cJSON_Delete(a);
    cJSON_Delete(b);
    assert_null(fc_model_meta(cbm, "no such key", &value_n));
    assert_int_equal(value_n, 0);
    while (fc_model_meta_at(cbm, n, &key, &key_n, &value, &value_n)) {
        assert_int_equal(strlen(key), key_n);
        assert_ptr_equal(fc_model_meta(cbm, key, NULL), value);
        n++;
    }
    assert_true(n >= 6);
    fc_model_free(cbm);
    fc_model_free(json);
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

/* What is refused, and what the reason must name. */
static const char *const refused[][2] = {
    {"reject/multiclass.cbm",          "3 outputs"                                       },
    {"reject/uncertainty.cbm",         "2 outputs"                                       },
    {"reject/multi_regression.cbm",    "2 outputs"                                       },
    {"reject/text_feature.cbm",        "text features"                                   },
    {"reject/embedding_feature.cbm",   "embedding features"                              },
    {"reject/empty.cbm",               "empty file"                                      },
    {"reject/magic.cbm",               "not a CatBoost model"                            },
    {"reject/json_instead.cbm",        "without trees"                                   },
    {"reject/magic_only.cbm",          "ends before the size of the core"                },
    {"reject/core_cut.cbm",            "cut short"                                       },
    {"reject/core_size_huge.cbm",      "2147483632, but 11644 bytes are left"            },
    {"reject/core_size_64.cbm",        "4611686018427387904, but"                        },
    {"reject/core_size_wraps.cbm",     "18446744073709551608, but"                       },
    {"reject/ctr_missing.cbm",         "ends before the size of the number of CTR tables"},
    {"reject/ctr_cut.cbm",             "CTR table 0: size 604, but 597"                  },
    {"reject/ctr_count_huge.cbm",      "number of CTR tables: size 2147483647"           },
    {"reject/root_outside.cbm",        "table outside the blob"                          },
    {"reject/format_name.cbm",         "format \"FlabuffersModel_v9\""                   },
    {"reject/part_name.cbm",           "part \"static_provider_v7\""                     },
    {"reject/vtable_outside.cbm",      "vtable outside the blob"                         },
    {"reject/vector_huge.cbm",         "longer than the blob"                            },
    {"reject/vector_wraps.cbm",        "longer than the blob"                            },
    {"reject/string_outside.cbm",      "outside the blob"                                },
    {"reject/dimension_0.cbm",         "0 outputs"                                       },
    {"reject/split_outside.cbm",       "split 100000; there are 31"                      },
    {"reject/split_negative.cbm",      "split -1"                                        },
    {"reject/tree_size_40.cbm",        "depth 40"                                        },
    {"reject/tree_size_negative.cbm",  "tree 0: splits 0 and -3 on"                      },
    {"reject/tree_start_outside.cbm",  "tree 0: splits 2147483632"                       },
    {"reject/leaf_not_finite.cbm",     "leaf 0 is not finite"                            },
    {"reject/border_nan.cbm",          "borders of numeric feature 0"                    },
    {"reject/flat_index_huge.cbm",     "flat index 2147483647"                           },
    {"reject/ctr_feature_unknown.cbm", "categorical feature 999 is not there"            },
    {"reject/ctr_hash_full.cbm",       "no free bucket"                                  },
    {"reject/ctr_bucket_outside.cbm",  "points to row 268435456 of 14"                   },
    {"reject/ctr_hash_size.cbm",       "not 2^k buckets"                                 },
    {"reject/node_outside.cbm",        "node 0 points outside the tree"                  },
    {"reject/node_leaf_outside.cbm",   "names leaf 1073741824 of 400"                    },
    {"reject/node_two_parents.cbm",    "node 1 has two parents"                          },
};

static void what_cannot_be_scored_is_refused_by_name(void **state)
{
    const cJSON *listed = cJSON_GetObjectItem(vectors_manifest(), "reject");

    (void)state;
    assert_int_equal(cJSON_GetArraySize(listed), sizeof(refused) / sizeof(refused[0]));
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        struct fc_model *m = (void *)&i;
        struct fc_err err = {""};
        char path[512];
        size_t n;
        char *bytes;
        enum fc_status st;

        snprintf(path, sizeof(path), VECTORS "%s", refused[i][0]);
        bytes = vectors_file(path, &n);
        assert_non_null(bytes);
        st = fc_model_load(&m, bytes, n, &err);
        assert_true(st == FC_EFORMAT || st == FC_EUNSUPPORTED);
        assert_null(m);
        if (!strstr(err.text, refused[i][1]))
            fail_msg("%s: %s", refused[i][0], err.text);
        free(bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cbm_scores_as_catboost_does),
        cmocka_unit_test(every_json_scores_as_catboost_does),
        cmocka_unit_test(json_and_cbm_hold_the_same_metadata),
        cmocka_unit_test(features_are_known_by_name_and_place),
        cmocka_unit_test(what_cannot_be_scored_is_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
