#include "ft_test.h"

#include "fraudtop/text.h"

static const char *clean(const char *text)
{
    static char out[2048];

    ft_text_clean(out, sizeof(out), ft_span_of(text));
    return out;
}

static void test_hostile_text_becomes_harmless(void **state)
{
    (void)state;
    assert_string_equal(clean("fraud_Kovacek, Dibbert"), "fraud_Kovacek, Dibbert");
    assert_string_equal(clean("\r0.001  legit"), "?0.001  legit");
    assert_string_equal(clean("a\nb\tc\x1b[2Jd\x7f"), "a?b?c?[2Jd?");
    assert_string_equal(clean("\xC2\x9B"
                              "31m"),
                        "?31m"); /* C1: CSI in one character */
    assert_string_equal(clean("a\xE2\x80\xAE"
                              "b"),
                        "a?b"); /* U+202E */
    assert_string_equal(clean("a\xE2\x80\xA8"
                              "b"),
                        "a?b"); /* line separator */
    assert_string_equal(clean("a\xE2\x80\x8B"
                              "b"),
                        "a?b"); /* zero width space */
    assert_string_equal(clean("a\xEF\xBB\xBF"
                              "b"),
                        "a?b");                        /* BOM inside */
    assert_string_equal(clean("M\xFCller"), "M?ller"); /* Latin-1 */
    assert_string_equal(clean("\xED\xA0\x80"), "???"); /* surrogate */
    assert_string_equal(clean("\xC0\xAF"), "??");      /* overlong */
    assert_string_equal(clean("caf\xC3\xA9 \xE6\x97\xA5"), "caf\xC3\xA9 \xE6\x97\xA5");
    assert_string_equal(clean("cut \xE6\x97"), "cut ??");
}

static void test_two_combining_marks_at_most(void **state)
{
    (void)state;
    assert_string_equal(clean("e\xCC\x81\xCC\x82\xCC\x83\xCC\x84x"), "e\xCC\x81\xCC\x82x");
    assert_string_equal(clean("\xCC\x81x"), "?x"); /* nothing to combine with */
}

static void test_length_is_bounded(void **state)
{
    char big[10001], out[2048], tiny[4];

    (void)state;
    memset(big, 'a', 10000);
    big[10000] = '\0';
    assert_int_equal(ft_text_clean(out, sizeof(out), ft_span_of(big)), 256);
    assert_int_equal(ft_text_clean(tiny, sizeof(tiny), ft_span_of("ab\xE6\x97\xA5")), 2);
    assert_string_equal(tiny, "ab"); /* never half a character */
    assert_int_equal(ft_text_clean(tiny, 0, ft_span_of("ab")), 0);
}

static void test_width_is_columns(void **state)
{
    (void)state;
    assert_int_equal(ft_text_width(FT_SPAN("abc")), 3);
    assert_int_equal(ft_text_width(FT_SPAN("caf\xC3\xA9")), 4);
    assert_int_equal(ft_text_width(FT_SPAN("e\xCC\x81")), 1);
    assert_int_equal(ft_text_width(FT_SPAN("\xE6\x97\xA5\xE6\x9C\xAC")), 4);
    assert_int_equal(ft_text_width(FT_SPAN("\xF0\x9F\x92\xB3")), 2); /* credit card */
    assert_int_equal(ft_text_width((struct ft_span){NULL, 0}), 0);
}

static void check_cut(const char *text, int cols, const char *want_ascii)
{
    char out[64];

    ft_text_cut(out, sizeof(out), ft_span_of(text), cols, true);
    assert_string_equal(out, want_ascii);
}

static void test_cutting(void **state)
{
    char out[64];

    (void)state;
    check_cut("Kovacek-Dibbert", 15, "Kovacek-Dibbert");
    check_cut("Kovacek-Dibbert", 8, "Kovacek~");
    check_cut("Kovacek-Dibbert", 1, "~");
    check_cut("Kovacek-Dibbert", 0, "");
    check_cut("\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E", 4, "\xE6\x97\xA5~");
    ft_text_cut(out, sizeof(out), FT_SPAN("Kovacek"), 4, false);
    assert_string_equal(out, "Kov\xE2\x80\xA6");
}

#define CHECK(call, want)                                                                          \
    do {                                                                                           \
        char out[64];                                                                              \
        call;                                                                                      \
        assert_string_equal(out, want);                                                            \
    } while (0)
#define O out, sizeof(out)

static void test_numbers(void **state)
{
    (void)state;
    CHECK(ft_fmt_count(O, 0), "0");
    CHECK(ft_fmt_count(O, 999), "999");
    CHECK(ft_fmt_count(O, 1000), "1,000");
    CHECK(ft_fmt_count(O, 12481902), "12,481,902");
    CHECK(ft_fmt_count(O, UINT64_MAX), "18,446,744,073,709,551,615");
    CHECK(ft_fmt_signed(O, -1298), "-1,298");
    CHECK(ft_fmt_signed(O, 54), "+54");
    CHECK(ft_fmt_signed(O, 0), "0");
    CHECK(ft_fmt_rate(O, 48210.4), "48,210");
    CHECK(ft_fmt_rate(O, 12.14), "12.1");
    CHECK(ft_fmt_rate(O, 100), "100");
    CHECK(ft_fmt_rate(O, 124123), "124 k");
    CHECK(ft_fmt_rate(O, 99999.7), "100 k");
    CHECK(ft_fmt_rate(O, 999999), "1.00 M");
    CHECK(ft_fmt_rate(O, 1240000), "1.24 M");
    CHECK(ft_fmt_rate(O, (double)NAN), "-");
    CHECK(ft_fmt_money(O, 1284110), "1.28 M");
    CHECK(ft_fmt_money(O, 300000), "0.30 M");
    CHECK(ft_fmt_money(O, 9120.4), "9,120");
    CHECK(ft_fmt_short(O, 30500), "30.5 k");
}

static void test_amounts_are_aligned(void **state)
{
    (void)state;
    CHECK(ft_fmt_amount(O, FT_SPAN("1204.18")), "1,204.18");
    CHECK(ft_fmt_amount(O, FT_SPAN("1001")), "1,001.00");
    CHECK(ft_fmt_amount(O, FT_SPAN("0.5")), "0.50");
    CHECK(ft_fmt_amount(O, FT_SPAN("25.790000000000003")), "25.79");
    CHECK(ft_fmt_amount(O, FT_SPAN("1e3")), "1e3");
    CHECK(ft_fmt_amount(O, FT_SPAN("")), "");
    CHECK(ft_fmt_amount(O, FT_SPAN("\x1b[2J")), "?[2J");
}

static void test_times(void **state)
{
    (void)state;
    CHECK(ft_fmt_age(O, 2830000), "00:47:10");
    CHECK(ft_fmt_age(O, -1), "-");
    CHECK(ft_fmt_age(O, (int64_t)123 * 3600 * 1000), "5d 03h");
    CHECK(ft_fmt_mmss(O, 42000), "00:42");
    CHECK(ft_fmt_mmss(O, 4329000), "01:12:09");
    CHECK(ft_fmt_ms(O, 42), "42 ms");
    CHECK(ft_fmt_ms(O, 0.94), "0.9 ms");
    CHECK(ft_fmt_ms(O, 1800), "1.8 s");
    CHECK(ft_fmt_ms(O, 600000), "10 min");
    CHECK(ft_fmt_bytes(O, 17000), "17 kB");
    CHECK(ft_fmt_bytes(O, 3700000000u), "3.7 GB");
    CHECK(ft_fmt_bytes(O, 12), "12 B");
    CHECK(ft_fmt_clock(O, 50527000, 0), "14:02:07");
    CHECK(ft_fmt_clock(O, 50527000, -15 * 3600), "23:02:07");
}

static void test_values_of_features(void **state)
{
    static const char *const want[][2] = {
        {"7.0202085812531863",   "7.02"                },
        {"1118.02",              "1118.02"             },
        {"grocery_pos_and_more", "grocery_pos_and_more"},
        {"-0.84619999999999995", "-0.8462"             },
        {"",                     ""                    },
    };
    char out[64];

    (void)state;
    for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++) {
        ft_fmt_value(out, sizeof(out), want[i][0]);
        assert_string_equal(out, want[i][1]);
    }
}

static void test_base_name(void **state)
{
    (void)state;
    assert_string_equal(ft_base_name("/data/day.csv"), "day.csv");
    assert_string_equal(ft_base_name("day.csv"), "day.csv");
    assert_string_equal(ft_base_name("/data/"), "/data/");
    assert_string_equal(ft_base_name(""), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_of_features),
        cmocka_unit_test(test_base_name),
        cmocka_unit_test(test_hostile_text_becomes_harmless),
        cmocka_unit_test(test_two_combining_marks_at_most),
        cmocka_unit_test(test_length_is_bounded),
        cmocka_unit_test(test_width_is_columns),
        cmocka_unit_test(test_cutting),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_amounts_are_aligned),
        cmocka_unit_test(test_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
