/* Histograms: exact counts, quantiles within 1.6 %. */
#include "../ft_test.h"

#include "fraudtop/hist.h"

static void quantiles_are_near(void **state)
{
    static struct ft_hist h;
    static const double q[] = {0.001, 0.5, 0.9, 0.99, 0.999, 1};

    (void)state;
    ft_hist_clear(&h);
    assert_int_equal(ft_hist_quantile(&h, 0.5), 0);
    for (uint64_t v = 1; v <= 1000000; v++)
        ft_hist_add(&h, v);
    for (size_t i = 0; i < sizeof(q) / sizeof(q[0]); i++) {
        double want = q[i] * 1e6, got = (double)ft_hist_quantile(&h, q[i]);

        assert_true(got >= want && got <= want * 1.016);
    }
    assert_int_equal(ft_hist_quantile(&h, 1), 1000000);
    assert_int_equal(h.count, 1000000);
}

static void small_values_are_exact_and_huge_ones_bounded(void **state)
{
    static struct ft_hist h;

    (void)state;
    ft_hist_clear(&h);
    ft_hist_add(&h, 0);
    ft_hist_add(&h, 63);
    ft_hist_add(&h, 64);
    ft_hist_add(&h, 127);
    ft_hist_add(&h, UINT64_MAX);
    assert_int_equal(ft_hist_quantile(&h, 0.2), 0);
    assert_int_equal(ft_hist_quantile(&h, 0.4), 63);
    assert_int_equal(ft_hist_quantile(&h, 0.6), 64);
    assert_int_equal(ft_hist_quantile(&h, 0.8), 127);
    assert_true(h.max == UINT64_MAX);
}

static void merging_adds(void **state)
{
    static struct ft_hist a, b;

    (void)state;
    ft_hist_clear(&a);
    ft_hist_clear(&b);
    ft_hist_add(&a, 5);
    ft_hist_add(&b, 500);
    ft_hist_merge(&a, &b);
    assert_int_equal(a.count, 2);
    assert_int_equal(a.max, 500);
    assert_int_equal(ft_hist_quantile(&a, 0.5), 5);
}

static void scores_have_equal_bins_and_one_is_in_the_last(void **state)
{
    static struct ft_scores h;
    uint64_t bin[20];

    (void)state;
    memset(&h, 0, sizeof(h));
    ft_scores_add(&h, 0);
    ft_scores_add(&h, 0.5);
    ft_scores_add(&h, 1);
    ft_scores_add(&h, 0.9999);
    ft_scores_fold(&h, bin, 20);
    assert_int_equal(bin[0], 1);
    assert_int_equal(bin[10], 1);
    assert_int_equal(bin[19], 2);
    assert_int_equal(h.count, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_are_near),
        cmocka_unit_test(small_values_are_exact_and_huge_ones_bounded),
        cmocka_unit_test(merging_adds),
        cmocka_unit_test(scores_have_equal_bins_and_one_is_in_the_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
