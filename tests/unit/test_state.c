/* State features by examples that were computed by hand; docs/features.md has the formulas. */
#include "state_case.h"

/* Four transactions of a day and a half, then the one that is looked at. */
static const struct case_row before[] = {
    {"2020-03-01 09:00", "10",  "home",   NULL, -5},
    {"2020-03-01 23:30", "50",  "travel", NULL, -1},
    {"2020-03-02 11:30", "20",  "home",   NULL, -4},
    {"2020-03-02 12:15", "120", "home",   NULL, 1 },
};
static const struct case_row now = {"2020-03-02 13:00", "60", "home", NULL, 2};

static struct state_case five(void)
{
    struct state_case c = case_new(CASE_MANIFEST);

    for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++)
        case_live(&c, &before[i]);
    case_live(&c, &now);
    return c;
}

static void windows_end_now_and_leave_now_out(void **state)
{
    struct state_case c = five();

    (void)state;
    assert_feature(&c, "n_1h", 1);  /* 12:15 */
    assert_feature(&c, "n_24h", 3); /* all but 28 hours ago */
    assert_feature(&c, "n_7d", 4);
    assert_feature(&c, "n_today", 2);
    assert_feature(&c, "sum_24h", 190);
    assert_feature(&c, "max_24h", 120);
    assert_feature(&c, "min_24h", 20);
    assert_feature(&c, "mean_24h", 190.0 / 3);
    assert_feature(&c, "sum_today", 140);
    assert_feature(&c, "max_today", 120);
    assert_feature(&c, "nights_24h", 1); /* 23:30 */
    assert_feature(&c, "same_24h", 2);
    assert_feature(&c, "rate_24h", 3 / (4 / (28.0 / 24)));
    case_free(&c);
}

static void the_life_is_what_was_before(void **state)
{
    struct state_case c = five();
    double mean = 50, std = sqrt((100 + 2500 + 400 + 14400) / 4.0 - 2500);

    (void)state;
    assert_feature(&c, "n", 4);
    assert_feature(&c, "sum", 200);
    assert_feature(&c, "mean", mean);
    assert_feature(&c, "std", std);
    assert_feature(&c, "max", 120);
    assert_feature(&c, "nights", 1);
    assert_feature(&c, "night_share", 0.25);
    assert_feature(&c, "since", 45);
    assert_feature(&c, "age", 28.0 / 24);
    assert_feature(&c, "n_category", 3);
    assert_feature(&c, "log_category", (log(11) + log(21) + log(121)) / 3);
    assert_feature(&c, "distinct", 2);
    assert_feature(&c, "vs_mean", log(61) - log(51));
    assert_feature(&c, "vs_max", log(61) - log(121));
    assert_feature(&c, "vs_category", log(61) - (log(11) + log(21) + log(121)) / 3);
    assert_feature(&c, "deviation", (60 - mean) / (std + 1));
    case_free(&c);
}

static void earlier_scores_are_the_first_stages(void **state)
{
    struct state_case c = five();

    (void)state;
    assert_feature(&c, "first", 2); /* of this one */
    assert_feature(&c, "s_last", 1);
    assert_feature(&c, "s_max_24h", 1);
    assert_feature(&c, "s_min_24h", -4);
    assert_near(case_value(&c, "s_mean_24h"), -4.0 / 3, 1e-6);
    assert_feature(&c, "s_max_today", 1);
    assert_feature(&c, "s_above_24h", 2); /* above -2: -1 and 1 */
    /* -5; .7*-5 + .3*-1 = -3.8; .7*-3.8 + .3*-4 = -3.86; .7*-3.86 + .3*1 = -2.402 */
    assert_near(case_value(&c, "s_ewma"), -2.402, 1e-6);
    case_free(&c);
}

static void nothing_is_known_of_a_new_customer(void **state)
{
    struct state_case c = case_new(CASE_MANIFEST);

    (void)state;
    case_live(&c, &now);
    assert_feature(&c, "n_1h", 0);
    assert_feature(&c, "sum_24h", 0);
    assert_feature(&c, "max_24h", 0);
    assert_feature(&c, "n", 0);
    assert_feature(&c, "max", 0);
    assert_feature(&c, "age", 0);
    assert_feature(&c, "n_category", 0);
    assert_feature(&c, "distinct", 0);
    assert_feature(&c, "s_above_24h", 0);
    assert_empty(&c, "mean_24h");
    assert_empty(&c, "min_24h");
    assert_empty(&c, "mean");
    assert_empty(&c, "std");
    assert_empty(&c, "since");
    assert_empty(&c, "vs_mean");
    assert_empty(&c, "vs_category");
    assert_empty(&c, "rate_24h");
    assert_empty(&c, "s_last");
    assert_empty(&c, "s_ewma");
    assert_empty(&c, "s_max_24h");
    case_free(&c);
}

static void an_empty_value_can_be_chosen(void **state)
{
    struct state_case c = case_new("{\"format\":1,\"name\":\"m\",\"version\":\"1\",\"stages\":["
                                   "{\"name\":\"first\",\"features\":[{\"name\":\"amount\"}]},"
                                   "{\"name\":\"second\",\"features\":[{\"name\":\"v\",\"window\":"
                                   "\"life\",\"value\":\"amount\","
                                   "\"aggregate\":\"log_ratio_mean\",\"empty\":0.5}]}]}");

    (void)state;
    case_live(&c, &now);
    assert_feature(&c, "v", 0.5);
    case_free(&c);
}

static void the_edges_of_a_window(void **state)
{
    static const struct case_row rows[] = {
        {"2020-03-02 12:00:00", "1", "home", NULL, 0},
        {"2020-03-02 12:00:01", "2", "home", NULL, 0},
        {"2020-03-02 13:00:00", "4", "home", NULL, 0},
    };
    struct state_case c = case_new(CASE_MANIFEST);

    (void)state;
    for (int i = 0; i < 3; i++)
        case_live(&c, &rows[i]);
    assert_feature(&c, "n_1h", 1); /* (12:00:00, 13:00:00]: an hour ago is out, a second later in */
    case_live(&c, &rows[2]);
    assert_feature(&c, "n_1h", 2); /* the same second: what arrived before is in */
    case_free(&c);
}

static void midnight_divides_days_and_nights_go_on(void **state)
{
    static const struct case_row rows[] = {
        {"2020-02-28 21:59", "1",  "home", NULL, 0},
        {"2020-02-28 22:00", "2",  "home", NULL, 0},
        {"2020-02-29 00:00", "4",  "home", NULL, 0},
        {"2020-02-29 03:59", "8",  "home", NULL, 0},
        {"2020-02-29 04:00", "16", "home", NULL, 0},
        {"2020-02-29 05:00", "32", "home", NULL, 0},
    };
    struct state_case c = case_new(CASE_MANIFEST);

    (void)state;
    for (int i = 0; i < 6; i++)
        case_live(&c, &rows[i]);
    assert_feature(&c, "nights_24h", 3); /* 22:00, 0:00, 3:59 */
    assert_feature(&c, "n_today", 3);
    assert_feature(&c, "sum_today", 28);
    case_free(&c);
}

/* ---- time that does not go on ----------------------------------------------------------------------- */

static void there_is_no_looking_into_the_future(void **state)
{
    static const struct case_row late = {"2020-03-02 12:00", "7", "home", NULL, -3};
    struct state_case c = five(), same = case_new(CASE_MANIFEST);
    const char *const features[] = {"n_1h", "n_24h", "sum_24h",  "n_today", "n",      "mean",
                                    "max",  "since", "distinct", "age",     "s_last", "s_ewma"};

    (void)state;
    case_live(&c, &late); /* as if 12:15 and 13:00 had not come yet */
    for (int i = 0; i < 3; i++)
        case_live(&same, &before[i]);
    case_live(&same, &late);
    for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++)
        assert_feature(&c, features[i], case_value(&same, features[i]));
    assert_feature(&c, "n_1h", 1);
    case_live(&c, &now);
    assert_feature(&c, "n_1h", 2); /* 12:15, and 13:00 itself; 12:00 is a whole hour ago */
    assert_feature(&c, "n", 6);    /* the late one counts from then on */
    case_free(&c);
    case_free(&same);
}

static void a_long_gap_starts_anew(void **state)
{
    struct state_case c = five();
    static const struct case_row within = {"2020-06-10 13:00", "60", "home", NULL, 0};
    static const struct case_row beyond = {"2020-09-18 13:01", "60", "home", NULL, 0};
    static const struct case_row back = {"2020-06-10 13:00", "60", "home", NULL, 0};

    (void)state;
    case_live(&c, &within); /* 100 days to the minute */
    assert_feature(&c, "n", 5);
    case_live(&c, &beyond);
    assert_feature(&c, "n", 0);
    case_live(&c, &back); /* and back over the gap */
    assert_feature(&c, "n", 0);
    assert_int_equal(ft_state_customers(c.state), 1);
    case_free(&c);
}

static void a_wrong_date_blinds_nobody(void **state)
{
    static const struct case_row future = {"2020-04-20 13:00", "60", "home", NULL, 0};
    static const struct case_row later = {"2020-03-02 13:20", "60", "home", NULL, 0};
    struct state_case c = five();

    (void)state;
    case_live(&c, &future);
    case_live(&c, &later);
    case_live(&c, &later);
    assert_feature(&c, "n_1h", 1); /* the windows fill again, the future one is not looked at */
    case_free(&c);
}

/* ---- bounds ---------------------------------------------------------------------------------------- */

static void the_last_256_are_remembered(void **state)
{
    struct case_row r = {"2020-03-02 13:00", "1", "home", NULL, -4};
    struct state_case c = case_new(CASE_MANIFEST);

    (void)state;
    for (int i = 0; i < 300; i++)
        case_live(&c, &r);
    assert_feature(&c, "n_1h", 256);
    assert_feature(&c, "sum_24h", 256);
    assert_feature(&c, "n", 299);
    assert_feature(&c, "n_category", 299);
    case_free(&c);
}

static void a_hundred_thousand_of_one_customer(void **state)
{
    struct state_case c = case_new(CASE_MANIFEST);
    char time[32];
    struct case_row r = {time, "2.5", "home", NULL, -4};
    size_t bytes = 0;

    (void)state;
    for (int i = 0; i < 100000; i++) {
        snprintf(time, sizeof(time), "2020-03-%02d %02d:%02d", 1 + i / 4320 % 28, i / 180 % 24,
                 i / 3 % 60);
        case_live(&c, &r);
        if (i == 1000)
            bytes = ft_state_bytes(c.state);
    }
    assert_feature(&c, "n", 99999);
    assert_near(case_value(&c, "mean"), 2.5, 1e-9);
    assert_true(ft_state_bytes(c.state) <= bytes); /* it does not grow */
    case_free(&c);
}

static void a_customer_with_many_categories(void **state)
{
    struct state_case c = case_new(CASE_MANIFEST);
    char category[16];
    struct case_row r = {"2020-03-02 13:00", "1", category, NULL, -4};

    (void)state;
    for (int i = 0; i < 100; i++) {
        snprintf(category, sizeof(category), "kind %d", i);
        case_live(&c, &r);
    }
    assert_feature(&c, "n_category", 0);
    assert_feature(&c, "n", 99);
    case_live(&c, &r); /* the last one is known */
    assert_feature(&c, "n_category", 1);
    case_free(&c);
}

static void customers_do_not_mix(void **state)
{
    struct state_case c = case_new(CASE_MANIFEST);
    char name[16];
    struct case_row r = {"2020-03-02 13:00", "1", "home", name, -4};

    (void)state;
    for (int turn = 0; turn < 3; turn++) {
        for (int i = 0; i < 5000; i++) {
            snprintf(name, sizeof(name), "c%d", i);
            case_live(&c, &r);
            assert_feature(&c, "n", turn);
        }
    }
    assert_int_equal(ft_state_customers(c.state), 5000);
    case_free(&c);
}

static void rows_without_a_customer_leave_nothing(void **state)
{
    struct state_case c = case_new(CASE_MANIFEST);
    struct ft_txn t = case_txn(&now);

    (void)state;
    t.col[FT_COL_STREET] = (struct ft_cell){"", 0, FT_CELL_ABSENT};
    case_live_txn(&c, &t, 0);
    case_live_txn(&c, &t, 0);
    assert_feature(&c, "n", 0);
    assert_int_equal(ft_state_customers(c.state), 0);
    case_free(&c);
}

static void a_bad_row_changes_nothing(void **state)
{
    struct state_case c = five();
    struct ft_txn t = case_txn(&now);
    const struct ft_txn *one = &t;
    struct ft_scored got;

    (void)state;
    t.col[FT_COL_AMOUNT] = case_cell("-60");
    ft_score_features(c.s, c.x, c.state, &one, 1, NULL, &got);
    assert_int_equal(got.status, FT_EINPUT);
    case_live(&c, &now);
    assert_feature(&c, "n", 5);
    case_free(&c);
}

/* ---- repeats --------------------------------------------------------------------------------------- */

static void what_comes_twice_counts_once(void **state)
{
    struct ft_run run = {1700000000000, 77};
    struct state_case c = case_new(CASE_MANIFEST);
    struct ft_txn t = case_txn(&now);

    (void)state;
    ft_uuid_from_row(&t.id, &run, 5);
    assert_false(ft_state_seen(c.state, &t));
    assert_false(case_live_txn(&c, &t, 0).repeated);
    assert_true(ft_state_seen(c.state, &t));
    assert_true(case_live_txn(&c, &t, 0).repeated);
    ft_uuid_from_row(&t.id, &run, 4); /* lower: was seen as well */
    assert_true(case_live_txn(&c, &t, 0).repeated);
    ft_uuid_from_row(&t.id, &run, 6);
    assert_false(case_live_txn(&c, &t, 0).repeated);
    assert_feature(&c, "n", 1);
    case_free(&c);
}

static void foreign_ids_are_remembered_by_the_customer(void **state)
{
    struct state_case c = case_new(CASE_MANIFEST);
    struct ft_txn t = case_txn(&now);

    (void)state;
    assert_true(ft_uuid_parse(&t.id, FT_SPAN("b8a1abcd-1a69-46c7-8da4-f9fc3c6da5d7")));
    assert_false(case_live_txn(&c, &t, 0).repeated);
    assert_true(case_live_txn(&c, &t, 0).repeated);
    assert_feature(&c, "n", 1);
    assert_true(ft_state_seen(c.state, &t));
    t.id.b[15]++;
    assert_false(case_live_txn(&c, &t, 0).repeated);
    case_free(&c);
}

static void a_pair_in_one_batch_counts_once(void **state)
{
    struct ft_run run = {1700000000000, 77};
    struct state_case c = case_new(CASE_MANIFEST);
    struct ft_txn t = case_txn(&now);
    const struct ft_txn *two[2] = {&t, &t};
    struct ft_scored got[2];
    double first[2] = {0, 0};

    (void)state;
    ft_uuid_from_row(&t.id, &run, 5);
    ft_score_features(c.s, c.x, c.state, two, 2, first, got);
    assert_false(got[0].repeated);
    assert_true(got[1].repeated);
    case_free(&c);
}

/* ---- for people ------------------------------------------------------------------------------------ */

static void the_last_transactions_and_what_is_usual(void **state)
{
    struct state_case c = five();
    struct ft_buf history, usual;

    (void)state;
    ft_buf_init(&history, 4096);
    ft_buf_init(&usual, 4096);
    assert_int_equal(ft_score_history_json(c.x, 0, &history, &usual), FT_OK);
    assert_string_equal(history.p, /* three, as the manifest says, oldest first, without this one */
                        "[{\"time\":\"2020-03-01 23:30\",\"amount\":50,\"category\":\"travel\","
                        "\"merchant\":\"fraud_Shop\",\"score\":null},"
                        "{\"time\":\"2020-03-02 11:30\",\"amount\":20,\"category\":\"home\","
                        "\"merchant\":\"fraud_Shop\",\"score\":null},"
                        "{\"time\":\"2020-03-02 12:15\",\"amount\":120,\"category\":\"home\","
                        "\"merchant\":\"fraud_Shop\",\"score\":null}]");
    assert_string_equal(usual.p,
                        "{\"count\":4,\"mean\":50,\"max\":120,\"std\":43.01,\"night_share\":0.25,"
                        "\"first\":\"2020-03-01 09:00\"}");
    ft_buf_fini(&history);
    ft_buf_fini(&usual);
    case_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_end_now_and_leave_now_out),
        cmocka_unit_test(the_life_is_what_was_before),
        cmocka_unit_test(earlier_scores_are_the_first_stages),
        cmocka_unit_test(nothing_is_known_of_a_new_customer),
        cmocka_unit_test(an_empty_value_can_be_chosen),
        cmocka_unit_test(the_edges_of_a_window),
        cmocka_unit_test(midnight_divides_days_and_nights_go_on),
        cmocka_unit_test(there_is_no_looking_into_the_future),
        cmocka_unit_test(a_long_gap_starts_anew),
        cmocka_unit_test(a_wrong_date_blinds_nobody),
        cmocka_unit_test(the_last_256_are_remembered),
        cmocka_unit_test(a_hundred_thousand_of_one_customer),
        cmocka_unit_test(a_customer_with_many_categories),
        cmocka_unit_test(customers_do_not_mix),
        cmocka_unit_test(rows_without_a_customer_leave_nothing),
        cmocka_unit_test(a_bad_row_changes_nothing),
        cmocka_unit_test(what_comes_twice_counts_once),
        cmocka_unit_test(foreign_ids_are_remembered_by_the_customer),
        cmocka_unit_test(a_pair_in_one_batch_counts_once),
        cmocka_unit_test(the_last_transactions_and_what_is_usual),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
