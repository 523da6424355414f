/* A theme of the user's own, from lines of the configuration file. */
#include "ft_test.h"

#include "../src/ui/theme.h"

static void test_lines_change_roles(void **state)
{
    struct ft_theme t;

    (void)state;
    assert_int_equal(
        ft_theme_own(
            &t, ft_theme_find("default"),
            "fraud = #ff8700 bold\nwarning=yellow, underline\ngood = 72\nmuted = default dim",
            NULL),
        FT_OK);
    assert_string_equal(t.name, "own");
    assert_int_equal(t.rgb[FT_ROLE_FRAUD], 0x1FF8700);
    assert_int_equal(t.role[FT_ROLE_FRAUD].fg256, 208); /* the nearest */
    assert_int_equal(t.role[FT_ROLE_FRAUD].attr, FT_LOOK_BOLD);
    assert_int_equal(t.role[FT_ROLE_WARN].fg8, 3);
    assert_int_equal(t.role[FT_ROLE_WARN].attr_mono, FT_LOOK_UNDERLINE);
    assert_int_equal(t.role[FT_ROLE_GOOD].fg256, 72);
    assert_int_equal(t.rgb[FT_ROLE_GOOD], 0);
    assert_int_equal(t.role[FT_ROLE_MUTED].fg256, -1);
    assert_int_equal(t.role[FT_ROLE_MUTED].attr, FT_LOOK_DIM);
    assert_int_equal(t.role[FT_ROLE_TITLE].fg256, 73); /* as it was */
}

static void check_refused(const char *line, const char *want)
{
    struct ft_theme t;
    struct ft_err err = {""};

    assert_int_equal(ft_theme_own(&t, ft_theme_find(NULL), line, &err), FT_EUSAGE);
    if (!strstr(err.text, want))
        fail_msg("%s: \"%s\" does not say \"%s\"", line, err.text, want);
}

static void test_wrong_lines_are_named(void **state)
{
    (void)state;
    check_refused("frod = red", "roles are normal, title");
    check_refused("fraud", "write role = colour");
    check_refused("fraud = ruddy", "\"ruddy\" is no colour");
    check_refused("fraud = 256", "\"256\" is no colour");
    check_refused("fraud = #ff87", "\"#ff87\" is no colour");
    check_refused("fraud = #gg8700", "is no colour");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_change_roles),
        cmocka_unit_test(test_wrong_lines_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
