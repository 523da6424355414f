/* What a threshold would cost and catch. */
#include "fraudtop/cutoff.h"

#include "ft_test.h"

static struct ft_counts counts;

static void put(double score, double all, double fraud, double legitimate)
{
    size_t i = ft_score_bin(score, FT_SCORE_BINS);

    counts.all[i] += all;
    counts.amount[i] += 100 * all;
    counts.fraud[i] += fraud;
    counts.legitimate[i] += legitimate;
}

static int setup(void **state)
{
    (void)state;
    memset(&counts, 0, sizeof(counts));
    counts.hours = 24;
    counts.labels_from_file = true;
    put(0.01, 900, 10, 890);
    put(0.55, 60, 20, 40);
    put(0.95, 40, 38, 2);
    return 0;
}

static void flagged_money_and_rates(void **state)
{
    struct ft_cutoff c;

    (void)state;
    ft_cutoff_at(&counts, 0.5, &c);
    assert_near(c.flagged, 100, 0);
    assert_near(c.per_day, 100, 1e-12);
    assert_near(c.per_hour, 100.0 / 24, 1e-12);
    assert_near(c.amount, 10000, 0);
    assert_near(c.precision, 0.58, 1e-12);
    assert_near(c.recall, 58.0 / 68, 1e-12);
    assert_near(c.fpr, 42.0 / 932, 1e-12);
    ft_cutoff_at(&counts, 0.9, &c);
    assert_near(c.tp, 38, 0);
    assert_near(c.fp, 2, 0);
}

/* Wilson for 38 of 40, z 1.96: middle 0.9106, half width 0.0756. */
static void precision_has_its_interval(void **state)
{
    struct ft_cutoff c;

    (void)state;
    ft_cutoff_at(&counts, 0.9, &c);
    assert_near(c.low, 0.8350, 5e-4);
    assert_near(c.high, 0.9862, 5e-4);
}

static void what_is_not_known_is_not_printed(void **state)
{
    struct ft_cutoff c;

    (void)state;
    counts.labels_from_file = false; /* reviewed rows only */
    ft_cutoff_at(&counts, 0.5, &c);
    assert_true(isnan(c.recall));
    assert_true(isnan(c.fpr));
    ft_cutoff_at(&counts, 0.99, &c); /* no label left: no precision either */
    assert_true(isnan(c.precision));
    assert_near(c.flagged, 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(flagged_money_and_rates, setup),
        cmocka_unit_test_setup(precision_has_its_interval, setup),
        cmocka_unit_test_setup(what_is_not_known_is_not_printed, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
