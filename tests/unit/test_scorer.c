/* A scorer from a manifest and models in memory; what makes a row bad. */
#include "fraudtop/scoring.h"
#include "ft_test.h"

static const char *source(const char *name)
{
    static char path[1024];

    snprintf(path, sizeof(path), FT_SOURCE_DIR "/%s", name);
    return path;
}

static struct ft_scorer *load(const char *name)
{
    struct ft_err err = {""};
    struct ft_scorer *s = NULL;

    if (ft_scorer_load(&s, source(name), NULL, false, &err) != FT_OK)
        fail_msg("%s", err.text);
    return s;
}

/* ---- a transaction from texts ---------------------------------------------------------------------- */

static struct ft_cell text_cell(const char *text)
{
    return (struct ft_cell){text, (uint32_t)strlen(text), *text ? FT_CELL_TEXT : FT_CELL_MISSING};
}

static struct ft_txn small_first(void)
{
    static const char *const cells[FT_N_COLS] = {"2019-09-14 02:46",
                                                 "fraud_Stokes, Christiansen and Sipes",
                                                 "grocery_net",
                                                 "25.79",
                                                 "Michael",
                                                 "Rodriguez",
                                                 "M",
                                                 "172 Paula Inlet Apt. 650",
                                                 "Cross Plains",
                                                 "TX",
                                                 "76443",
                                                 "32.1482",
                                                 "-99.1872",
                                                 "1897",
                                                 "Chief Operating Officer",
                                                 "31.772057",
                                                 "-99.103183"};
    struct ft_txn t = {.label = FT_LABEL_UNKNOWN};

    for (int c = 0; c < FT_N_COLS; c++)
        t.col[c] = text_cell(cells[c]);
    return t;
}

static struct ft_scored score_one(const struct ft_scorer *s, struct ft_score_scratch *x,
                                  const struct ft_txn *t)
{
    struct ft_scored got;

    ft_score_batch(s, x, NULL, &t, 1, 0.5, &got);
    return got;
}

static const double first_raw = -4.051888762321938;

/* ---- seed-004 -------------------------------------------------------------------------------------- */

struct seed {
    struct ft_scorer *s;
    struct ft_score_scratch *x;
};

static int seed_setup(void **state)
{
    struct seed *e = calloc(1, sizeof(*e));

    e->s = load("models/seed-004");
    e->x = ft_score_scratch_new(e->s);
    *state = e;
    return 0;
}

static int seed_teardown(void **state)
{
    struct seed *e = *state;

    ft_score_scratch_free(e->x);
    ft_scorer_free(e->s);
    free(e);
    return 0;
}

static void seed_is_what_the_contract_says(void **state)
{
    struct seed *e = *state;
    const struct ft_scorer_info *info = ft_scorer_info(e->s);
    const char *const *columns;

    assert_string_equal(info->name, "seed-004");
    assert_int_equal(info->n_features, 19);
    assert_int_equal(info->n_trees, 22);
    assert_near(info->threshold, 0.5, 0);
    assert_false(info->keeps_state);
    assert_int_equal(strlen(info->digest), 16);
    assert_int_equal(ft_scorer_check_rows(e->s), 4);
    assert_int_equal(ft_scorer_columns(e->s, &columns), 14); /* without name_1, name_2, street */
    assert_string_equal(ft_scorer_feature(e->s, 13), "is_weekend");
    assert_null(ft_scorer_feature(e->s, 19));
}

static void a_transaction_is_scored(void **state)
{
    struct seed *e = *state;
    struct ft_txn t = small_first();
    struct ft_scored got = score_one(e->s, e->x, &t);

    assert_int_equal(got.status, FT_OK);
    assert_near(got.raw, first_raw, 0);
    assert_near(got.score, 1 / (1 + exp(-first_raw)), 1e-16);
    assert_int_equal(got.flag, 0);
}

static void a_whole_number_is_one_category_however_written(void **state)
{
    static const struct {
        const char *text;
        uint8_t kind;
    } same[] = {
        {"76443",     FT_CELL_NUMBER},
        {"76443.0",   FT_CELL_NUMBER},
        {"7.6443e4",  FT_CELL_NUMBER},
        {"764430E-1", FT_CELL_NUMBER},
        {"76443.0",   FT_CELL_TEXT  },
    };
    struct seed *e = *state;
    struct ft_txn t = small_first();

    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        t.col[FT_COL_POST_CODE] =
            (struct ft_cell){same[i].text, (uint32_t)strlen(same[i].text), same[i].kind};
        assert_near(score_one(e->s, e->x, &t).raw, first_raw, 0);
    }
}

static void refused(struct seed *e, enum ft_col col, struct ft_cell cell, const char *reason)
{
    struct ft_txn t = small_first();

    t.col[col] = cell;
    assert_int_equal(score_one(e->s, e->x, &t).status, FT_EINPUT);
    assert_string_equal(ft_score_reason(e->x, 0), reason);
}

static void bad_rows_are_not_scored(void **state)
{
    struct seed *e = *state;

    refused(e, FT_COL_AMOUNT, text_cell(""), "amount: missing");
    refused(e, FT_COL_AMOUNT, text_cell("12,5"), "amount: \"12,5\" is not a number");
    refused(e, FT_COL_AMOUNT, text_cell("-1"),
            "amount: \"-1\" is negative or not finite: never scored");
    refused(e, FT_COL_AMOUNT, text_cell("inf"),
            "amount: \"inf\" is negative or not finite: never scored");
    refused(e, FT_COL_AMOUNT, text_cell("nan"),
            "amount: \"nan\" is negative or not finite: never scored");
    refused(e, FT_COL_TIME, text_cell(""), "transaction_time: missing");
    refused(e, FT_COL_TIME, text_cell("2019-02-29 10:00"),
            "transaction_time: \"2019-02-29 10:00\" is not a time (YYYY-MM-DD HH:MM)");
    refused(e, FT_COL_LAT, text_cell("north"), "lat: \"north\" is not a number");
    refused(e, FT_COL_AMOUNT, (struct ft_cell){"true", 4, FT_CELL_TRUE},
            "amount: true or false, not a number");
    refused(e, FT_COL_MERCH, (struct ft_cell){"[1]", 3, FT_CELL_NESTED},
            "merch: an array or object, not a value");
}

static void what_is_missing_elsewhere_is_no_fault(void **state)
{
    struct seed *e = *state;
    struct ft_txn t = small_first();

    t.col[FT_COL_LAT] = text_cell("");
    t.col[FT_COL_POST_CODE] = text_cell("");
    t.col[FT_COL_MERCH] = (struct ft_cell){NULL, 0, FT_CELL_ABSENT};
    t.col[FT_COL_LON] = text_cell("-inf");
    assert_int_equal(score_one(e->s, e->x, &t).status, FT_OK);
    t.col[FT_COL_POST_CODE] =
        text_cell("K1A 0B1"); /* a category, though messages carry it as a number */
    assert_int_equal(score_one(e->s, e->x, &t).status, FT_OK);
}

static void a_bad_row_leaves_its_neighbours_alone(void **state)
{
    struct seed *e = *state;
    struct ft_txn good = small_first(), bad = small_first();
    const struct ft_txn *rows[5] = {&good, &bad, &good, &bad, &good};
    struct ft_scored got[5];

    bad.col[FT_COL_AMOUNT] = text_cell("x");
    ft_score_batch(e->s, e->x, NULL, rows, 5, 0.01, got);
    for (int i = 0; i < 5; i += 2) {
        assert_near(got[i].raw, first_raw, 0);
        assert_int_equal(got[i].flag, 1);
    }
    assert_int_equal(got[1].status, FT_EINPUT);
    assert_int_equal(got[3].status, FT_EINPUT);
}

static void reasons_add_up(void **state)
{
    struct seed *e = *state;
    struct ft_txn t = small_first();
    struct ft_reason reason[19];
    struct ft_err err = {""};
    double base, sum;
    size_t n;

    score_one(e->s, e->x, &t);
    if (ft_score_reasons(e->s, e->x, 0, reason, 19, &n, &base, &err) != FT_OK)
        fail_msg("%s", err.text);
    assert_int_equal(n, 19);
    sum = base;
    for (size_t i = 0; i < n; i++) {
        sum += reason[i].contribution;
        assert_true(i == 0 || fabs(reason[i].contribution) <= fabs(reason[i - 1].contribution));
    }
    assert_near(sum, first_raw, 1e-9);
}

/* ---- manifests ------------------------------------------------------------------------------------- */

static enum ft_status no_file(void *user, const char *file, struct ft_buf *out, struct ft_err *err)
{
    (void)user;
    (void)out;
    return ft_fail(err, FT_END, "%s: not there", file);
}

static void manifest_says(const char *manifest, const char *expected)
{
    struct ft_err err = {""};
    struct ft_scorer *s = NULL;
    enum ft_status st = ft_scorer_build(&s, "m", "m", ft_span_of(manifest), no_file, NULL,
                                        FT_SCORER_FEATURES, &err);

    if (expected) {
        assert_int_equal(st, FT_EINPUT);
        assert_string_equal(err.text, expected);
    } else if (st != FT_OK) {
        fail_msg("%s", err.text);
    }
    ft_scorer_free(s);
}

#define WITH_FEATURE(feature)                                                                      \
    "{\"format\":1,\"name\":\"m\",\"version\":\"1\",\"stages\":[{\"name\":\"a\","                  \
    "\"features\":[" feature "]}]}"

static void faults_of_a_manifest_are_named(void **state)
{
    (void)state;
    manifest_says(WITH_FEATURE("{\"name\":\"amount\"}"), NULL);
    manifest_says("", "manifest.json: not JSON at byte 0");
    manifest_says("[]", "manifest.json: not a JSON object");
    manifest_says("{} x", "manifest.json: not JSON at byte 3");
    manifest_says("{\"format\":1,\"version\":\"1\"}",
                  "manifest.json: manifest: member \"name\" is missing");
    manifest_says("{\"format\":1,\"name\":\"m\",\"version\":\"1\",\"stages\":[]}",
                  "manifest.json: \"stages\" is not an array of 1 to 4 stages");
    manifest_says("{\"format\":1,\"format\":1}",
                  "manifest.json: manifest: member \"format\" stands twice");
    manifest_says(WITH_FEATURE("{\"name\":\"a\"},{\"name\":\"a\"}"),
                  "manifest.json: stage \"a\": feature \"a\" stands twice");
    manifest_says(WITH_FEATURE("{\"name\":\"h\",\"transform\":\"houre\"}"),
                  "manifest.json: stage \"a\", feature \"h\": unknown transform \"houre\"");
    manifest_says(WITH_FEATURE("{\"name\":\"h\",\"widow\":\"1h\"}"),
                  "manifest.json: stage \"a\", feature \"h\": unknown member \"widow\" (known: "
                  "name kind transform from)");
    manifest_says(
        WITH_FEATURE(
            "{\"name\":\"n\",\"window\":\"8d\",\"value\":\"amount\",\"aggregate\":\"sum\"}"),
        "manifest.json: stage \"a\", feature \"n\": window \"8d\" is not 1m to 7d (m, h, d), "
        "today, life or category");
    manifest_says(
        WITH_FEATURE(
            "{\"name\":\"n\",\"window\":\"1h\",\"value\":\"amount\",\"aggregate\":\"share\"}"),
        "manifest.json: stage \"a\", feature \"n\": there is no share of \"amount\" over window "
        "\"1h\"");
    manifest_says(WITH_FEATURE("{\"name\":\"n\",\"stage\":\"b\"}"),
                  "manifest.json: stage \"a\", feature \"n\": no earlier stage is called \"b\"");
    manifest_says(
        WITH_FEATURE(
            "{\"name\":\"n\",\"window\":\"life\",\"value\":\"score\",\"aggregate\":\"last\"}"),
        "manifest.json: stage \"a\": the first stage cannot be made of its own earlier "
        "scores");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seed_is_what_the_contract_says),
        cmocka_unit_test(a_transaction_is_scored),
        cmocka_unit_test(a_whole_number_is_one_category_however_written),
        cmocka_unit_test(bad_rows_are_not_scored),
        cmocka_unit_test(what_is_missing_elsewhere_is_no_fault),
        cmocka_unit_test(a_bad_row_leaves_its_neighbours_alone),
        cmocka_unit_test(reasons_add_up),
        cmocka_unit_test(faults_of_a_manifest_are_named),
    };

    return cmocka_run_group_tests(tests, seed_setup, seed_teardown);
}
