/* Files of rows through the scorer: equal to what CatBoost said. */
#include "fraudtop/codec.h"
#include "fraudtop/rows.h"
#include "fraudtop/scoring.h"
#include "vectors.h"

static struct ft_scorer *load(const char *path)
{
    struct ft_err err = {""};
    struct ft_scorer *s = NULL;

    if (ft_scorer_load(&s, path, NULL, false, &err) != FT_OK)
        fail_msg("%s", err.text);
    return s;
}

/* Calls each with the score of every row of a file, one at a time. */
static size_t for_each_row(const struct ft_scorer *s, const char *path, const char *label,
                           void (*each)(void *user, size_t row, const struct ft_scored *got),
                           void *user)
{
    struct ft_rows_opts opts = {.label = label};
    struct ft_score_scratch *x = ft_score_scratch_new(s);
    const struct ft_span *names;
    struct ft_row_pos pos;
    struct ft_scored got;
    struct ft_rows *rows;
    struct ft_txn t;
    const struct ft_txn *one = &t;
    struct ft_err err;
    enum ft_status st;
    size_t n = 0;

    opts.n_need = ft_scorer_columns(s, &opts.need);
    if (ft_rows_open(&rows, &path, 1, &opts, &err) != FT_OK)
        fail_msg("%s", err.text);
    n = ft_rows_header(rows, &names);
    if (!label && ft_score_bind(s, x, names, n, &err) != FT_OK)
        fail_msg("%s", err.text);
    for (n = 0; (st = ft_rows_next(rows, &t, &pos, &err)) == FT_OK; n++) {
        ft_score_batch(s, x, NULL, &one, 1, 0.5, &got);
        if (got.status != FT_OK)
            fail_msg("%s: row %zu: %s", path, n, ft_score_reason(x, 0));
        each(user, n, &got);
    }
    assert_int_equal(st, FT_END);
    ft_rows_close(rows);
    ft_score_scratch_free(x);
    return n;
}

/* ---- seed-004 on the labelled sample ---------------------------------------------------------------- */

struct expected {
    double score[5000];
    size_t n_compared;
};

static void compare_score(void *user, size_t row, const struct ft_scored *got)
{
    struct expected *e = user;

    if (row >= 5000)
        return;
    assert_near(got->score, e->score[row], 1e-12);
    e->n_compared++;
}

static void scores_of_the_sample_are_catboosts(void **state)
{
    struct ft_scorer *s = load(FT_SOURCE_DIR "/models/seed-004");
    const char *path = FT_SOURCE_DIR "/data/expected_seed_scores.csv.gz";
    struct ft_rows_opts opts = {.limit = 5000};
    struct expected *e = calloc(1, sizeof(*e));
    struct ft_row_pos pos;
    struct ft_rows *rows;
    struct ft_txn t;
    struct ft_err err;
    size_t n = 0;

    (void)state;
    assert_int_equal(ft_rows_open(&rows, &path, 1, &opts, &err), FT_OK);
    for (; ft_rows_next(rows, &t, &pos, &err) == FT_OK; n++)
        assert_true(
            ft_parse_double((struct ft_span){t.extra[1].cell.p, t.extra[1].cell.n}, &e->score[n]));
    assert_int_equal(n, 5000);
    ft_rows_close(rows);
    assert_int_equal(for_each_row(s, FT_SOURCE_DIR "/data/test.csv.gz", "target", compare_score, e),
                     77895);
    assert_int_equal(e->n_compared, 5000);
    free(e);
    ft_scorer_free(s);
}

/* ---- seed-004 on the messages of the Python pipeline ------------------------------------------------ */

struct python {
    double score[90];
};

static void compare_python(void *user, size_t row, const struct ft_scored *got)
{
    struct python *p = user;

    assert_true(row < 90);
    assert_near(got->score, p->score[row], 5.001e-11); /* rounded to ten decimals there */
}

static struct python read_python(void)
{
    struct python p;
    FILE *f = fopen(FT_SOURCE_DIR "/tests/data/messages/scoring.jsonl", "r");
    char line[512];
    size_t n = 0;

    assert_non_null(f);
    for (; fgets(line, sizeof(line), f); n++) {
        assert_true(n < 90);
        assert_int_equal(sscanf(line, "[{\"score\":%lf", &p.score[n]), 1);
    }
    assert_int_equal(n, 90);
    fclose(f);
    return p;
}

static void a_file_scores_as_the_python_pipeline_does(void **state)
{
    struct ft_scorer *s = load(FT_SOURCE_DIR "/models/seed-004");
    struct python p = read_python();

    (void)state;
    assert_int_equal(for_each_row(s, FT_SOURCE_DIR "/data/new_small.csv", NULL, compare_python, &p),
                     90);
    ft_scorer_free(s);
}

/* Scores each line of a file of messages; the statuses and scores of the first max lines. */
static size_t for_each_message(const char *path, struct ft_scored *got, size_t max)
{
    struct ft_scorer *s = load(FT_SOURCE_DIR "/models/seed-004");
    struct ft_score_scratch *x = ft_score_scratch_new(s);
    struct ft_codec *codec = ft_codec_new();
    FILE *f = fopen(path, "r");
    static char line[65536];
    size_t n = 0;

    assert_non_null(f);
    for (; n < max && fgets(line, sizeof(line), f); n++) {
        struct ft_txn t;
        const struct ft_txn *one = &t;
        struct ft_err err;

        if (ft_codec_read_txn(codec, ft_span_of(line), &t, &err) != FT_OK)
            fail_msg("%s: line %zu: %s", path, n + 1, err.text);
        ft_score_batch(s, x, NULL, &one, 1, 0.5, &got[n]);
    }
    fclose(f);
    ft_codec_free(codec);
    ft_score_scratch_free(x);
    ft_scorer_free(s);
    return n;
}

static void messages_score_as_their_file_does(void **state)
{
    struct python p = read_python();
    struct ft_scored got[90];

    (void)state;
    assert_int_equal(
        for_each_message(FT_SOURCE_DIR "/tests/data/messages/transactions.jsonl", got, 90), 90);
    for (size_t i = 0; i < 90; i++) {
        assert_int_equal(got[i].status, FT_OK);
        compare_python(&p, i, &got[i]);
    }
}

/* Columns that pandas turned into floats, bare NaN. */
static void messages_with_gaps(void **state)
{
    struct ft_scored gaps[4];

    (void)state;
    assert_int_equal(for_each_message(FT_SOURCE_DIR
                                      "/tests/data/messages/transactions-with-gaps.jsonl",
                                      gaps, 4),
                     4);
    assert_int_equal(gaps[0].status, FT_OK);     /* no post code */
    assert_int_equal(gaps[1].status, FT_EINPUT); /* no amount */
    assert_int_equal(gaps[2].status, FT_OK);     /* no merchant */
    assert_int_equal(gaps[3].status, FT_OK);     /* the state NA is gone */
}

/* ---- bare models: the vectors ----------------------------------------------------------------------- */

static void compare_vector(void *user, size_t row, const struct ft_scored *got)
{
    const struct table *want = user;

    assert_near(got->raw, strtod(cell(want, row + 1, 0), NULL), 1e-12);
    if (want->n_cols > 1 && *cell(want, row + 1, 1)) /* empty: no probability */
        assert_near(got->score, strtod(cell(want, row + 1, 1), NULL), 1e-12);
}

static void bare_models_score_their_columns(void **state)
{
    cJSON *manifest = vectors_manifest();
    const cJSON *cases = cJSON_GetObjectItemCaseSensitive(manifest, "cases");
    size_t n = 0;

    (void)state;
    for (const cJSON *c = cases->child; c; c = c->next, n++) {
        char model[256], rows[256], expected[256];
        const char *name = vectors_text(c, "name");
        struct ft_scorer *s;
        struct table want;

        snprintf(model, sizeof(model), VECTORS "%s/model.cbm", name);
        snprintf(rows, sizeof(rows), VECTORS "%s/rows.csv", name);
        snprintf(expected, sizeof(expected), VECTORS "%s/expected.csv", name);
        s = load(model);
        want = vectors_csv(expected);
        assert_int_equal(for_each_row(s, rows, NULL, compare_vector, &want), want.n_rows - 1);
        ft_scorer_free(s);
    }
    assert_int_equal(n, 45);
    cJSON_Delete(manifest);
}

/* A model without names takes columns by their place, whatever they are called. */
static void columns_by_place(void **state)
{
    struct table rows = vectors_csv(VECTORS "no_names/rows.csv");
    struct table want = vectors_csv(VECTORS "no_names/expected.csv");
    struct ft_scorer *s = load(VECTORS "no_names/model.cbm");
    struct ft_score_scratch *x = ft_score_scratch_new(s);
    struct ft_span names[5] = {FT_SPAN("x"), FT_SPAN("amount_2"), FT_SPAN("lat"), FT_SPAN("kind"),
                               FT_SPAN("z")};
    struct ft_err err;

    (void)state;
    assert_int_equal(rows.n_cols, 5);
    assert_int_equal(ft_score_bind(s, x, names, 2, &err), FT_EINPUT);
    assert_int_equal(ft_score_bind(s, x, names, 5, &err), FT_OK);
    for (size_t i = 0; i + 1 < rows.n_rows; i++) {
        struct ft_field extra[4];
        struct ft_txn t = {.extra = extra, .n_extra = 4};
        const struct ft_txn *one = &t;
        struct ft_scored got;

        for (size_t c = 0; c < 5; c++) {
            const char *text = cell(&rows, i + 1, c);
            struct ft_cell v = {text, (uint32_t)strlen(text),
                                *text ? FT_CELL_TEXT : FT_CELL_MISSING};

            if (c == 2)
                t.col[FT_COL_LAT] = v;
            else
                extra[c < 2 ? c : c - 1] = (struct ft_field){names[c], v};
        }
        ft_score_batch(s, x, NULL, &one, 1, 0.5, &got);
        assert_int_equal(got.status, FT_OK);
        compare_vector(&want, i, &got);
    }
    ft_score_scratch_free(x);
    ft_scorer_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_of_the_sample_are_catboosts),
        cmocka_unit_test(a_file_scores_as_the_python_pipeline_does),
        cmocka_unit_test(messages_score_as_their_file_does),
        cmocka_unit_test(messages_with_gaps),
        cmocka_unit_test(bare_models_score_their_columns),
        cmocka_unit_test(columns_by_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
