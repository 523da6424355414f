#include "ft_test.h"

#include <cjson/cJSON.h>

#include "fraudtop/buf.h"
#include "fraudtop/evaluate.h"
#include "fraudtop/text.h"

static char *read_file(const char *name)
{
    char path[300];
    struct ft_buf b;
    char part[4096];
    size_t n;
    FILE *f;

    snprintf(path, sizeof(path), FT_SOURCE_DIR "/tests/data/evaluate/%s", name);
    f = fopen(path, "rb");
    assert_non_null(f);
    ft_buf_init(&b, 16u << 20);
    while ((n = fread(part, 1, sizeof(part), f)) > 0)
        ft_buf_add(&b, part, n);
    fclose(f);
    return b.p;
}

static struct ft_eval *load(const char *name)
{
    struct ft_eval *e = ft_eval_new();
    char file[100], *text, *p;

    snprintf(file, sizeof(file), "%s.csv", name);
    text = read_file(file);
    for (p = strchr(text, '\n') + 1; *p; p = strchr(p, '\n') + 1) {
        char *end;
        int label = (int)strtol(p, &end, 10);
        double score = strtod(end + 1, &end), amount = strtod(end + 1, &end);

        assert_int_equal(ft_eval_add(e, score, label, amount, NULL), FT_OK);
    }
    free(text);
    return e;
}

static double number(const cJSON *o, const char *name)
{
    return cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(o, name)); /* NaN for null */
}

static void same(const char *name, const char *what, double got, double want)
{
    if (isnan(got) && isnan(want))
        return;
    if (!(fabs(got - want) <= 1e-12 * fmax(1, fabs(want))))
        fail_msg("%s: %s is %.17g, not %.17g", name, what, got, want);
}

static void check_at(const char *name, const struct ft_eval_at *at, const cJSON *want)
{
    same(name, "tp", (double)at->tp, number(want, "tp"));
    same(name, "fp", (double)at->fp, number(want, "fp"));
    same(name, "fn", (double)at->fn, number(want, "fn"));
    same(name, "tn", (double)at->tn, number(want, "tn"));
    same(name, "precision", at->precision, number(want, "precision"));
    same(name, "recall", at->recall, number(want, "recall"));
    same(name, "fpr", at->fpr, number(want, "fpr"));
    same(name, "F", at->f_beta, number(want, "f_beta"));
    same(name, "flagged", at->money_flagged, number(want, "flagged"));
    same(name, "missed", at->money_missed, number(want, "missed"));
    same(name, "false alarm", at->money_false_alarm, number(want, "false_alarm"));
}

/* A threshold that was printed gives, when used again, the figures that were printed beside it. */
static void check_again(struct ft_eval *e, const struct ft_eval_at *at, double beta)
{
    struct ft_eval_result r;
    char text[40];

    if (isnan(at->threshold))
        return;
    ft_fmt_double(text, sizeof(text), at->threshold);
    assert_int_equal(ft_eval_compute(e, strtod(text, NULL), beta, 0.05, 0.9, &r, NULL), FT_OK);
    assert_memory_equal(&r.at, at, sizeof(*at));
}

static void check_case(const cJSON *want)
{
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(want, "name"));
    double beta = number(want, "beta");
    struct ft_eval *e = load(name);
    struct ft_eval_result r;

    assert_int_equal(ft_eval_compute(e, number(want, "threshold"), beta, number(want, "max_fpr"),
                                     number(want, "min_recall"), &r, NULL),
                     FT_OK);
    same(name, "rows", (double)r.rows, number(want, "rows"));
    same(name, "positives", (double)r.positives, number(want, "positives"));
    same(name, "ROC AUC", r.roc_auc, number(want, "roc_auc"));
    same(name, "PR AUC", r.pr_auc, number(want, "pr_auc"));
    same(name, "log loss", r.log_loss, number(want, "log_loss"));
    same(name, "Brier score", r.brier, number(want, "brier"));
    check_at(name, &r.at, cJSON_GetObjectItemCaseSensitive(want, "at"));
    same(name, "best F", r.best_f.f_beta, number(want, "best_f"));
    same(name, "recall at FPR", r.at_fpr.recall, number(want, "at_fpr"));
    same(name, "precision at recall", r.at_recall.precision, number(want, "at_recall"));
    check_again(e, &r.best_f, beta);
    check_again(e, &r.at_fpr, beta);
    check_again(e, &r.at_recall, beta);
    ft_eval_free(e);
}

static void test_equal_to_scikit_learn(void **state)
{
    char *text = read_file("expected.json");
    cJSON *file = cJSON_Parse(text), *want;
    int n = 0;

    (void)state;
    cJSON_ArrayForEach(want, cJSON_GetObjectItemCaseSensitive(file, "cases"))
    {
        check_case(want);
        n++;
    }
    assert_int_equal(n, 13);
    cJSON_Delete(file);
    free(text);
}

static void test_no_rows_at_all(void **state)
{
    struct ft_eval *e = ft_eval_new();
    struct ft_eval_result r;

    (void)state;
    assert_int_equal(ft_eval_compute(e, 0.5, 1, 0.05, 0.9, &r, NULL), FT_OK);
    assert_int_equal(r.rows, 0);
    assert_true(isnan(r.roc_auc) && isnan(r.pr_auc) && isnan(r.log_loss) && isnan(r.brier));
    assert_true(isnan(r.at.precision) && isnan(r.at.recall) && isnan(r.at.money_flagged));
    assert_true(isnan(r.best_f.threshold) && isnan(r.at_fpr.threshold));
    ft_eval_free(e);
}

static void test_among_equals_the_highest_threshold(void **state)
{
    struct ft_eval *e = ft_eval_new();
    struct ft_eval_result r;

    (void)state;
    ft_eval_add(e, 0.9, 1, 10, NULL);
    ft_eval_add(e, 0.7, 0, 20, NULL);
    ft_eval_add(e, 0.5, 0, 30, NULL);
    assert_int_equal(ft_eval_compute(e, 0.6, 1, 1, 1, &r, NULL), FT_OK);
    assert_near(r.best_f.threshold, 0.8, 1e-15);
    assert_near(r.at_fpr.threshold, 0.8, 1e-15); /* recall 1 already: no false alarm on top */
    assert_near(r.at_recall.threshold, 0.8, 1e-15);
    assert_near(r.at.money_flagged, 30, 0);
    assert_near(r.at.money_false_alarm, 20, 0);
    assert_near(r.at.money_missed, 0, 0);
    ft_eval_free(e);
}

static void test_raw_values_have_no_log_loss(void **state)
{
    struct ft_eval *e = ft_eval_new();
    struct ft_eval_result r;

    (void)state;
    ft_eval_add(e, 3.5, 1, (double)NAN, NULL);
    ft_eval_add(e, -2, 0, (double)NAN, NULL);
    assert_int_equal(ft_eval_compute(e, -100, 1, 1, 1, &r, NULL), FT_OK);
    assert_near(r.roc_auc, 1, 0);
    assert_true(isnan(r.log_loss) && isnan(r.brier) && isnan(r.at.money_flagged));
    assert_int_equal(r.at.fp, 1);
    ft_eval_free(e);
}

static void test_what_is_refused(void **state)
{
    struct ft_eval *e = ft_eval_new();
    struct ft_eval_result r;

    (void)state;
    assert_int_equal(ft_eval_add(e, (double)NAN, 0, 1, NULL), FT_EINPUT);
    assert_int_equal(ft_eval_add(e, (double)INFINITY, 0, 1, NULL), FT_EINPUT);
    assert_int_equal(ft_eval_add(e, 0.5, 2, 1, NULL), FT_EINPUT);
    assert_int_equal(ft_eval_compute(e, 0.5, 0, 1, 1, &r, NULL), FT_EUSAGE);
    ft_eval_free(e);
}

struct curve {
    struct ft_eval_at last;
    struct ft_eval *e;
    size_t n;
};

static void on_curve(void *user, const struct ft_eval_at *at)
{
    struct curve *c = user;
    struct ft_eval_result r;

    if (c->n++) {
        assert_true(at->threshold < c->last.threshold);
        assert_true(at->tp + at->fp > c->last.tp + c->last.fp);
    }
    c->last = *at;
    assert_int_equal(ft_eval_compute(c->e, at->threshold, 1, 0.05, 0.9, &r, NULL), FT_OK);
    assert_int_equal(r.at.tp, at->tp);
    assert_int_equal(r.at.fp, at->fp);
    assert_int_equal(r.at.fn, at->fn);
    assert_int_equal(r.at.tn, at->tn);
    same("curve", "flagged", at->money_flagged, r.at.money_flagged);
    assert_near(at->money_missed, r.at.money_missed, 1e-9);
}

static void test_the_curve_goes_from_nothing_to_everything(void **state)
{
    struct curve c = {.e = load("one_decimal")};

    (void)state;
    assert_int_equal(ft_eval_curve(c.e, on_curve, &c), FT_OK);
    assert_int_equal(c.n, 12); /* eleven distinct scores, and the point before them */
    assert_int_equal(c.last.fn + c.last.tn, 0);
    ft_eval_free(c.e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_to_scikit_learn),
        cmocka_unit_test(test_no_rows_at_all),
        cmocka_unit_test(test_among_equals_the_highest_threshold),
        cmocka_unit_test(test_raw_values_have_no_log_loss),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_the_curve_goes_from_nothing_to_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
