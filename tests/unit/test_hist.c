#include "ft_test.h"

#include "fraudtop/hist.h"

static void test_small_values_are_exact(void **state)
{
    struct ft_hist h;

    (void)state;
    ft_hist_clear(&h);
    assert_int_equal(ft_hist_quantile(&h, 0.5), 0);
    for (uint64_t v = 1; v <= 50; v++)
        ft_hist_add(&h, v);
    assert_int_equal(h.count, 50);
    assert_int_equal(h.max, 50);
    assert_int_equal(h.sum, 1275);
    assert_int_equal(ft_hist_quantile(&h, 0), 1);
    assert_int_equal(ft_hist_quantile(&h, 0.5), 25);
    assert_int_equal(ft_hist_quantile(&h, 0.99), 50);
    assert_int_equal(ft_hist_quantile(&h, 1), 50);
}

static void test_every_value_is_within_its_share(void **state)
{
    (void)state;
    for (uint64_t v = 1; v < (uint64_t)1 << 36; v += v / 50 + 1) {
        static struct ft_hist h;
        uint64_t got;

        ft_hist_clear(&h);
        ft_hist_add(&h, v);
        ft_hist_add(&h, v * 4); /* so that max does not help */
        got = ft_hist_quantile(&h, 0.5);
        assert_true(got >= v && (double)(got - v) <= 0.016 * (double)v);
    }
}

static void test_values_beyond_the_range(void **state)
{
    static struct ft_hist h;

    (void)state;
    ft_hist_clear(&h);
    ft_hist_add(&h, UINT64_MAX / 2);
    ft_hist_add(&h, 1);
    assert_true(ft_hist_quantile(&h, 1) == UINT64_MAX / 2);
    assert_int_equal(ft_hist_quantile(&h, 0.5), 1);
}

static void test_merging_is_adding(void **state)
{
    static struct ft_hist a, b, both;
    uint64_t seed = 1;

    (void)state;
    for (int i = 0; i < 10000; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        ft_hist_add(i % 3 ? &a : &b, seed >> (24 + i % 40));
        ft_hist_add(&both, seed >> (24 + i % 40));
    }
    ft_hist_merge(&a, &b);
    assert_memory_equal(&a, &both, sizeof(a));
}

static void test_bins_of_scores(void **state)
{
    static struct ft_scores h;
    uint64_t bin[20];

    (void)state;
    assert_int_equal(ft_score_bin(0, 20), 0);
    assert_int_equal(ft_score_bin(0.05, 20), 1);
    assert_int_equal(ft_score_bin(0.999, 20), 19);
    assert_int_equal(ft_score_bin(1, 20), 19);
    assert_int_equal(ft_score_bin(7, 20), 19);
    assert_int_equal(ft_score_bin(-7, 20), 0);
    assert_int_equal(ft_score_bin((double)NAN, 20), 0);
    assert_int_equal(ft_score_bin((double)INFINITY, 20), 19);
    for (int i = 0; i <= 1000; i++)
        ft_scores_add(&h, i / 1000.0);
    ft_scores_fold(&h, bin, 20);
    assert_int_equal(h.count, 1001);
    for (int i = 0; i < 20; i++)
        assert_int_equal(bin[i], i == 19 ? 51 : 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small_values_are_exact),
        cmocka_unit_test(test_every_value_is_within_its_share),
        cmocka_unit_test(test_values_beyond_the_range),
        cmocka_unit_test(test_merging_is_adding),
        cmocka_unit_test(test_bins_of_scores),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
