#include "ft_test.h"

#include <locale.h>

#include "fraudtop/siphash.h"
#include "fraudtop/txn.h"

static uint64_t next_random(uint64_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s;
}

static void test_columns_by_name(void **state)
{
    (void)state;
    for (int c = 0; c < FT_N_COLS; c++)
        assert_int_equal(ft_col_find(ft_span_of(ft_col_name[c])), c);
    assert_int_equal(ft_col_find(FT_SPAN("Amount")), -1);
    assert_int_equal(ft_col_find(FT_SPAN("")), -1);
}

static void test_json_numbers(void **state)
{
    static const char *const good[] = {"0",     "-0",       "7",
                                       "25.79", "-99.1872", "1e5",
                                       "1E+5",  "1.5e-3",   "123456789012345678901234567890"};
    static const char *const bad[] = {"",    "-",   "007",  "1.",   ".5",  "+1",   "1e",
                                      "1e+", "0x1", "inf",  "NaN",  " 1",  "1 ",   "12,5",
                                      "1_0", "--1", "1.e5", "1e5.", "-01", "1.2.3"};

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
        assert_true(ft_is_json_number(ft_span_of(good[i])));
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_false(ft_is_json_number(ft_span_of(bad[i])));
}

/* The same bits as strtod in the C locale. */
static void check_number(const char *text)
{
    double got, want = strtod(text, NULL);

    if (!ft_parse_double(ft_span_of(text), &got))
        fail_msg("%s: not taken", text);
    if (memcmp(&got, &want, sizeof(got)) != 0)
        fail_msg("%s: %.17g, not %.17g", text, got, want);
}

static void test_doubles_are_rounded_correctly(void **state)
{
    static const char *const texts[] = {
        "0",
        "-0",
        "1",
        "+1",
        "007",
        "1.",
        ".5",
        "25.79",
        "-99.103183",
        "1e22",
        "1e23",
        "1e-22",
        "9007199254740993",                   /* halfway, to even */
        "9007199254740992999999999999999999", /* just below the next */
        "9007199254740993.00000000000000000000000000000000000000000000000000000001",
        "0.1",
        "0.30000000000000004",
        "1.7976931348623157e308",
        "1.7976931348623159e308",
        "1e999",
        "-1e999",
        "4.9e-324",
        "2.4703282292062327e-324",
        "2.4703282292062328e-324",
        "1e-999",
        "2.2250738585072011e-308",
        "2.2250738585072014e-308",
        "1e99999999999999999999",
        "1e-99999999999999999999",
        "0e99999999999999999999",
        "0.000000000000000000000000000000000000000000000000000001234567890123456789",
        "123456789012345678901234567890e-20",
        "18446744073709551616",
        "184467440737095516160"};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        check_number(texts[i]);
}

static void test_a_thousand_digits_count_to_the_last(void **state)
{
    /* 2^53 + 1 is halfway between two doubles; a 1 far behind it decides. */
    char text[1100] = "9007199254740993.";

    (void)state;
    memset(text + 17, '0', 1000);
    check_number(text);
    text[1016] = '1';
    check_number(text);
}

static void test_random_doubles_read_back(void **state)
{
    uint64_t seed = 20190914;
    char text[64];

    (void)state;
    for (int i = 0; i < 200000; i++) {
        uint64_t bits = next_random(&seed);
        double v;

        memcpy(&v, &bits, sizeof(v));
        if (!isfinite(v))
            continue;
        snprintf(text, sizeof(text), i & 1 ? "%.17g" : "%.9e", v);
        check_number(text);
        snprintf(text, sizeof(text), "%.*f", (int)(bits % 9), (double)(int64_t)(bits >> 30) / 1e6);
        check_number(text);
    }
}

static void test_words_for_numbers(void **state)
{
    static const char *const bad[] = {"",     "-",   "+",      ".",     "e5",   "1e", "1e+",
                                      "0x10", "1,5", " 1",     "1 ",    "1 2",  "in", "nano",
                                      "infi", "--1", "nan(1)", "1.2.3", "1e5.", "-.", "\xD9\xA1"};
    double v;

    (void)state;
    assert_true(ft_parse_double(FT_SPAN("inf"), &v) && isinf(v) && v > 0);
    assert_true(ft_parse_double(FT_SPAN("-Infinity"), &v) && isinf(v) && v < 0);
    assert_true(ft_parse_double(FT_SPAN("NaN"), &v) && isnan(v));
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        if (ft_parse_double(ft_span_of(bad[i]), &v))
            fail_msg("%s was taken as %g", bad[i], v);
    assert_false(ft_parse_double((struct ft_span){"1\0", 2}, &v));
    assert_false(ft_parse_double((struct ft_span){NULL, 0}, &v));
}

static void test_numbers_do_not_know_the_locale(void **state)
{
    double v;

    (void)state;
    if (!setlocale(LC_NUMERIC, "de_DE.UTF-8") && !setlocale(LC_NUMERIC, "fr_FR.UTF-8"))
        skip();
    assert_true(ft_parse_double(FT_SPAN("25.79"), &v));
    assert_near(v, 25.79, 0);
    assert_true(ft_parse_double(FT_SPAN("0.12345678901234567890"), &v));
    assert_near(v, 0.12345678901234568, 0);
    setlocale(LC_NUMERIC, "C");
}

static void test_times(void **state)
{
    struct ft_time t;

    (void)state;
    assert_true(ft_parse_time(FT_SPAN("2019-09-14 02:46"), &t));
    assert_int_equal(t.year, 2019);
    assert_int_equal(t.month, 9);
    assert_int_equal(t.day, 14);
    assert_int_equal(t.hour, 2);
    assert_int_equal(t.minute, 46);
    assert_int_equal(t.second, 0);
    assert_int_equal(t.weekday, 5); /* Saturday */
    assert_int_equal(t.unix_s, 1568429160);
    assert_true(ft_parse_time(FT_SPAN("2019-09-14T02:46:07Z"), &t));
    assert_int_equal(t.unix_s, 1568429167);
    assert_true(ft_parse_time(FT_SPAN("2020-02-29 23:59:59"), &t));
    assert_true(ft_parse_time(FT_SPAN("1970-01-01 00:00"), &t));
    assert_int_equal(t.unix_s, 0);
    assert_int_equal(t.weekday, 3);
    assert_true(ft_parse_time(FT_SPAN("0001-01-01 00:00"), &t));
    assert_int_equal(t.unix_s, -62135596800);
    assert_int_equal(t.weekday, 0);
    assert_true(ft_parse_time(FT_SPAN("9999-12-31 23:59"), &t));
    assert_int_equal(t.weekday, 4);
}

static void test_what_is_no_time(void **state)
{
    static const char *const bad[] = {
        "",
        "2019-09-14",
        "2019-09-14 2:46",
        "2019-09-31 02:46",
        "2019-02-29 02:46",
        "1900-02-29 02:46",
        "2019-13-01 02:46",
        "2019-00-01 02:46",
        "2019-09-00 02:46",
        "0000-01-01 00:00",
        "2019-09-14 24:00",
        "2019-09-14 23:60",
        "2019-09-14 23:59:60",
        "2019-09-14 23:59:",
        "2019-09-14 23:59:00.5",
        "2019/09/14 02:46",
        "2019-09-14  02:46",
        "14.09.2019 02:46",
        "2019-09-14 02:46z",
        "2019-09-14 02:46ZZ",
        " 2019-09-14 02:46",
        "2019-09-14 02:46 ",
        "2O19-09-14 02:46",
        "2019-09-14 02:46+00",
    };
    struct ft_time t;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        if (ft_parse_time(ft_span_of(bad[i]), &t))
            fail_msg("%s was taken", bad[i]);
}

static void test_amounts(void **state)
{
    double v;

    (void)state;
    assert_true(ft_parse_amount(FT_SPAN("25.79"), &v));
    assert_true(ft_parse_amount(FT_SPAN("0"), &v));
    assert_false(ft_parse_amount(FT_SPAN("-0.01"), &v));
    assert_false(ft_parse_amount(FT_SPAN("inf"), &v));
    assert_false(ft_parse_amount(FT_SPAN("nan"), &v));
    assert_false(ft_parse_amount(FT_SPAN("1e999"), &v));
    assert_false(ft_parse_amount(FT_SPAN(""), &v));
}

static void test_utf8(void **state)
{
    static const struct {
        struct ft_span text;
        long at;
    } cases[] = {
        {{"", 0},                                           -1},
        {{"plain ASCII text, long", 22},                    -1},
        {{"Jos\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x92\xB3", 14}, -1},
        {{"Jos\xE9", 4},                                    3 }, /* Latin-1 */
        {{"12345678\0", 9},                                 8 },
        {{"\xC0\x80", 2},                                   0 }, /* overlong */
        {{"\xE0\x80\x80", 3},                               0 },
        {{"\xED\xA0\x80", 3},                               0 }, /* a surrogate */
        {{"\xF4\x90\x80\x80", 4},                           0 }, /* beyond U+10FFFF */
        {{"a\xE2\x82", 3},                                  1 }, /* cut */
        {{"abcdefg\xF0\x9F\x92\xB3h\xFF", 13},              12},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_int_equal(ft_utf8_check(cases[i].text), cases[i].at);
}

static struct ft_cell text_cell(const char *text)
{
    return (struct ft_cell){.p = text, .n = (uint32_t)strlen(text), .kind = FT_CELL_TEXT};
}

static void check_refused(enum ft_col col, const char *text, const char *reason)
{
    struct ft_txn t = {.label = FT_LABEL_UNKNOWN};
    struct ft_err err = {""};

    t.col[col] = text_cell(text);
    assert_int_equal(ft_txn_check(&t, &err), FT_EINPUT);
    assert_string_equal(err.text, reason);
}

static void test_checks_say_what_is_wrong(void **state)
{
    (void)state;
    check_refused(FT_COL_AMOUNT, "12,5", "amount: \"12,5\" is not a number");
    check_refused(FT_COL_AMOUNT, "-3", "amount: -3 is negative");
    check_refused(FT_COL_AMOUNT, "inf", "amount: \"inf\" is not finite");
    check_refused(FT_COL_LAT, "north", "lat: \"north\" is not a number");
    check_refused(FT_COL_TIME, "today",
                  "transaction_time: \"today\" is not a time (YYYY-MM-DD HH:MM[:SS])");
}

static void test_checks_let_pass(void **state)
{
    struct ft_txn t = {.label = FT_LABEL_UNKNOWN};

    (void)state;
    assert_int_equal(ft_txn_check(&t, NULL), FT_OK); /* nothing there: the model's matter */
    t.col[FT_COL_TIME] = text_cell("2019-09-14 02:46");
    t.col[FT_COL_AMOUNT].kind = FT_CELL_MISSING;
    t.col[FT_COL_LAT] = text_cell("-inf");
    t.col[FT_COL_LON] = text_cell("nan");
    t.col[FT_COL_POST_CODE] = text_cell("SW1A 1AA");
    assert_int_equal(ft_txn_check(&t, NULL), FT_OK);
}

static void check_key(const struct ft_txn *t, const char *want)
{
    uint8_t secret[16], key[FT_KEY_BYTES];
    char hex[2 * FT_KEY_BYTES + 1];

    for (int i = 0; i < 16; i++)
        secret[i] = (uint8_t)i;
    assert_true(ft_txn_key(t, secret, key));
    for (int i = 0; i < FT_KEY_BYTES; i++)
        snprintf(hex + 2 * i, 3, "%02x", (unsigned)key[i]);
    assert_string_equal(hex, want);
}

static void test_key_of_a_customer(void **state)
{
    struct ft_txn t = {.label = FT_LABEL_UNKNOWN};
    uint8_t secret[16] = {0}, a[FT_KEY_BYTES], b[FT_KEY_BYTES];

    (void)state;
    assert_false(ft_txn_key(&t, secret, a)); /* no such columns, no key */
    t.col[FT_COL_NAME_1] = text_cell("Michael");
    t.col[FT_COL_NAME_2] = text_cell("Rodriguez");
    t.col[FT_COL_STREET] = text_cell("172 Paula Inlet Apt. 650");
    check_key(&t, "28c8ff24011b4ee0db37907008106abd");
    assert_true(ft_txn_key(&t, secret, a));
    t.col[FT_COL_NAME_1] = text_cell("MichaelR"); /* the border between the cells counts */
    t.col[FT_COL_NAME_2] = text_cell("odriguez");
    assert_true(ft_txn_key(&t, secret, b));
    assert_memory_not_equal(a, b, sizeof(a));
    t.col[FT_COL_NAME_1].kind = FT_CELL_MISSING; /* as empty text */
    assert_true(ft_txn_key(&t, secret, a));
    t.col[FT_COL_NAME_1] = text_cell("");
    assert_true(ft_txn_key(&t, secret, b));
    assert_memory_equal(a, b, sizeof(a));
}

static void test_pieces_hash_as_the_whole(void **state)
{
    uint8_t secret[16], text[40], whole[16], pieces[16];
    struct ft_siphash h;

    (void)state;
    for (int i = 0; i < 40; i++)
        text[i] = (uint8_t)(i * 7 + 1);
    memcpy(secret, text, sizeof(secret));
    ft_siphash_init(&h, secret);
    ft_siphash_add(&h, text, sizeof(text));
    ft_siphash_end(&h, whole);
    for (size_t a = 0; a <= sizeof(text); a++)
        for (size_t b = a; b <= sizeof(text); b++) {
            ft_siphash_init(&h, secret);
            ft_siphash_add(&h, text, a);
            ft_siphash_add(&h, text + a, b - a);
            ft_siphash_add(&h, text + b, sizeof(text) - b);
            ft_siphash_end(&h, pieces);
            assert_memory_equal(pieces, whole, sizeof(whole));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns_by_name),
        cmocka_unit_test(test_json_numbers),
        cmocka_unit_test(test_doubles_are_rounded_correctly),
        cmocka_unit_test(test_a_thousand_digits_count_to_the_last),
        cmocka_unit_test(test_random_doubles_read_back),
        cmocka_unit_test(test_words_for_numbers),
        cmocka_unit_test(test_numbers_do_not_know_the_locale),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_what_is_no_time),
        cmocka_unit_test(test_amounts),
        cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_checks_say_what_is_wrong),
        cmocka_unit_test(test_checks_let_pass),
        cmocka_unit_test(test_key_of_a_customer),
        cmocka_unit_test(test_pieces_hash_as_the_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
