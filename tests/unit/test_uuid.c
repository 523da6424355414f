#include "ft_test.h"

#include "fraudtop/uuid.h"

static struct ft_uuid id_of(const char *text)
{
    struct ft_uuid u;

    assert_true(ft_uuid_parse(&u, ft_span_of(text)));
    return u;
}

static void test_text_forms(void **state)
{
    struct ft_uuid u = id_of("B8A1ABCD-1A69-46C7-8DA4-F9FC3C6DA5D7"), same;
    char text[FT_UUID_TEXT + 1];

    (void)state;
    ft_uuid_format(&u, text);
    assert_string_equal(text, "b8a1abcd-1a69-46c7-8da4-f9fc3c6da5d7");
    same = id_of("b8a1abcd1a6946c78da4f9fc3c6da5d7");
    assert_int_equal(ft_uuid_cmp(&u, &same), 0);
}

static void test_what_is_no_id(void **state)
{
    static const char *const bad[] = {
        "",
        "b8a1abcd-1a69-46c7-8da4-f9fc3c6da5d",
        "b8a1abcd-1a69-46c7-8da4-f9fc3c6da5d77",
        "b8a1abcd-1a69-46c7-8da4-f9fc3c6da5dg",
        "b8a1abcd1-a69-46c7-8da4-f9fc3c6da5d7",
        "{8a1abcd-1a69-46c7-8da4-f9fc3c6da5d7",
        "b8a1abcd 1a69 46c7 8da4 f9fc3c6da5d7",
    };
    struct ft_uuid u;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_false(ft_uuid_parse(&u, ft_span_of(bad[i])));
}

static void test_ids_of_rows_rise_and_tell_their_row(void **state)
{
    const struct ft_run run = {.start_ms = 0x0199ABCDEF01, .hash = 0x3FEDCBA98};
    const uint64_t last = ((uint64_t)1 << 40) - 1;
    const uint64_t rows[] = {0, 1, 255, 256, 77894, (uint64_t)1 << 32, last};
    struct ft_uuid before, u, lo, hi;

    (void)state;
    ft_run_range(&run, &lo, &hi);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct ft_run back;
        uint64_t row;

        ft_uuid_from_row(&u, &run, rows[i]);
        assert_int_equal(u.b[6] >> 4, 8);
        assert_int_equal(u.b[8] >> 6, 2);
        assert_true(ft_uuid_to_row(&u, &back, &row));
        assert_int_equal(row, rows[i]);
        assert_int_equal(back.start_ms, run.start_ms);
        assert_int_equal(back.hash, run.hash);
        assert_true(ft_uuid_cmp(&lo, &u) <= 0 && ft_uuid_cmp(&u, &hi) <= 0);
        if (i)
            assert_true(ft_uuid_cmp(&before, &u) < 0);
        before = u;
    }
}

static void test_another_version_has_no_row(void **state)
{
    struct ft_uuid u = id_of("b8a1abcd-1a69-46c7-8da4-f9fc3c6da5d7");
    struct ft_run run;
    uint64_t row;

    (void)state;
    assert_false(ft_uuid_to_row(&u, &run, &row));
}

static void test_a_run_has_a_name(void **state)
{
    const struct ft_run run = {.start_ms = 0x0199ABCDEF01, .hash = 0x3FEDCBA98};
    char text[FT_RUN_TEXT + 1];
    struct ft_run back;

    (void)state;
    ft_run_format(&run, text);
    assert_string_equal(text, "0199abcdef01-3fedcba98");
    assert_true(ft_run_parse(&back, ft_span_of(text)));
    assert_int_equal(back.start_ms, run.start_ms);
    assert_int_equal(back.hash, run.hash);
    assert_false(ft_run_parse(&back, FT_SPAN("0199abcdef01-4fedcba98"))); /* 35 bits */
    assert_false(ft_run_parse(&back, FT_SPAN("0199abcdef0103fedcba98")));
    assert_false(ft_run_parse(&back, FT_SPAN("0199abcdef01-3fedcba9")));
}

static void test_versions_four_and_seven(void **state)
{
    uint8_t ones[16];
    char text[FT_UUID_TEXT + 1];
    struct ft_uuid u;

    (void)state;
    memset(ones, 0xFF, sizeof(ones));
    ft_uuid_from_time(&u, 0x017F22E279B0, ones);
    ft_uuid_format(&u, text);
    assert_string_equal(text, "017f22e2-79b0-7fff-bfff-ffffffffffff");
    ft_uuid_from_random(&u, ones);
    ft_uuid_format(&u, text);
    assert_string_equal(text, "ffffffff-ffff-4fff-bfff-ffffffffffff");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_forms),
        cmocka_unit_test(test_what_is_no_id),
        cmocka_unit_test(test_ids_of_rows_rise_and_tell_their_row),
        cmocka_unit_test(test_another_version_has_no_row),
        cmocka_unit_test(test_a_run_has_a_name),
        cmocka_unit_test(test_versions_four_and_seven),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
