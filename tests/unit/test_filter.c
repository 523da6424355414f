#include "ft_test.h"

#include "fraudtop/filter.h"

static const struct ft_flagged row = {
    .id = {{0x8f, 0x31, 0xc2}},
    .score = 0.964,
    .amount = "388.05",
    .event = "2020-02-23 03:12:39",
    .arrived_ms = 1000000,
    .merchant = "fraud_Huels-Nolan",
    .category = "grocery_pos",
    .name_1 = "Catherine",
    .name_2 = "Young",
    .city = "Falconer",
    .state = "NY",
    .distance_km = 212,
    .label = -1,
    .status = 'o',
    .claimed_by = "ben",
};

static bool match_as(const char *text, bool masked)
{
    struct ft_filter f;
    struct ft_err err;
    size_t at;

    if (ft_filter_parse(&f, text, masked, &at, &err) != FT_OK)
        fail_msg("%s: %zu: %s", text, at, err.text);
    return ft_filter_match(&f, &row, 1000000 + 45 * 60000, masked);
}

static bool match(const char *text)
{
    return match_as(text, false);
}

static void test_terms_must_all_hold(void **state)
{
    (void)state;
    assert_true(match(""));
    assert_true(match("score>=0.8 amount>300 category=grocery_pos !merchant~Kovacek state=TX|NY "
                      "waiting>30m claimed=ben"));
    assert_false(match("score>=0.8 amount>500"));
    assert_false(match("!state=TX|NY"));
    assert_true(match("!claimed=no"));
    assert_true(match("claimed=yes"));
    assert_true(match("status=open label=none sampled=no"));
    assert_true(match("event>=2020-02 event<2020-03"));
    assert_true(match("id~8f31c2"));
    assert_false(match("waiting>1h"));
}

static void test_bare_words_look_where_people_look(void **state)
{
    (void)state;
    assert_true(match("huels"));
    assert_true(match("falconer"));
    assert_true(match("young"));
    assert_true(match("8f31c2"));
    assert_true(match("kovacek|huels"));
    assert_true(match("\"Catherine Young\""));
    assert_false(match("grocery"));
}

static void test_masked_names_cannot_be_guessed(void **state)
{
    struct ft_filter f;
    struct ft_err err;
    size_t at;

    (void)state;
    assert_false(match_as("young", true));
    assert_int_equal(ft_filter_parse(&f, "amount>3 customer~Y", true, &at, &err), FT_EUSAGE);
    assert_int_equal(at, 9);
    assert_string_equal(err.text, "customer is masked; m shows it");
}

static void check_error(const char *text, size_t want_at, const char *want)
{
    struct ft_filter f;
    struct ft_err err;
    size_t at = 999;

    assert_int_equal(ft_filter_parse(&f, text, false, &at, &err), FT_EUSAGE);
    assert_int_equal(at, want_at);
    if (!strstr(err.text, want))
        fail_msg("%s: \"%s\" does not say \"%s\"", text, err.text, want);
}

static void test_errors_point_at_the_character(void **state)
{
    (void)state;
    check_error("amount>12,5", 7, "not a number");
    check_error("score>0.5 colour=red", 10, "no field is called \"colour\"");
    check_error("merchant>5", 8, "no order");
    check_error("waiting>soon", 8, "not an age");
    check_error("merchant=\"abc", 13, "closing");
    check_error("state=", 6, "missing");
    check_error("score=<3", 5, "no comparison");
}

static void test_ages(void **state)
{
    int64_t ms;

    (void)state;
    assert_true(ft_parse_age(FT_SPAN("90s"), &ms) && ms == 90000);
    assert_true(ft_parse_age(FT_SPAN("1.5h"), &ms) && ms == 5400000);
    assert_true(ft_parse_age(FT_SPAN("00:47:10"), &ms) && ms == 2830000);
    assert_true(ft_parse_age(FT_SPAN("7"), &ms) && ms == 7000);
    assert_false(ft_parse_age(FT_SPAN("h"), &ms));
    assert_false(ft_parse_age(FT_SPAN(""), &ms));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_terms_must_all_hold),
        cmocka_unit_test(test_bare_words_look_where_people_look),
        cmocka_unit_test(test_masked_names_cannot_be_guessed),
        cmocka_unit_test(test_errors_point_at_the_character),
        cmocka_unit_test(test_ages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
