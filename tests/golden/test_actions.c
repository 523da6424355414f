/* The table of actions is what keys, hints, help and palette say; and keys can be changed. */
#include "ft_test.h"

#include "../src/ui/console.h"
#include "fraudtop/scene.h"

static char *help_of(char place, int rows)
{
    struct ft_ui_opts o = {.mask = true, .stop_fd = -1};
    struct ft_key key = {.code = '?'};
    struct ft_scene *s;
    struct ft_canvas cv;
    struct ft_con *c;
    struct ft_buf out;

    assert_int_equal(ft_scene_new(&s, "normal", 7, 1795183327000, NULL), FT_OK);
    ft_scene_at(s, 20000);
    assert_int_equal(ft_con_new(&c, &o, ft_scene_feed(s), NULL), FT_OK);
    ft_con_tick(c, 0, 0);
    for (int i = 0; i < FT_N_PLACES; i++)
        if (ft_views[i]->letter == place)
            ft_con_push(c, (enum ft_place)i);
    ft_con_key(c, &key);
    assert_true(ft_canvas_init(&cv, 200, rows, true));
    ft_con_draw(c, &cv);
    ft_buf_init(&out, 1 << 20);
    ft_canvas_text(&cv, &out);
    ft_canvas_fini(&cv);
    ft_con_free(c);
    ft_scene_free(s);
    return out.p;
}

static void test_help_has_every_action_with_its_keys(void **state)
{
    static const char screens[] = "LQCTRHG";

    (void)state;
    for (const char *s = screens; *s; s++) {
        char *help = help_of(*s, 120);

        for (enum ft_act a = 0; a < FT_N_ACTS; a++) {
            char line[64];

            if (!ft_action_applies(a, *s))
                continue;
            snprintf(line, sizeof(line), " %s%s ", *ft_actions[a].keys ? "" : ":",
                     *ft_actions[a].keys ? ft_actions[a].keys : ft_actions[a].name);
            if (!strstr(help, line))
                fail_msg("help of screen %c lacks%s(%s)", *s, line, ft_actions[a].name);
            if (!strstr(help, ft_actions[a].help))
                fail_msg("help of screen %c lacks \"%s\"", *s, ft_actions[a].help);
        }
        free(help);
    }
}

static void test_hints_are_actions_of_their_screen(void **state)
{
    (void)state;
    for (int i = 0; i < FT_N_PLACES; i++)
        for (const enum ft_act *a = ft_views[i]->hints; a && *a < FT_N_ACTS; a++) {
            if (!ft_action_applies(*a, ft_views[i]->letter))
                fail_msg("%s hints at %s, which it does not have", ft_views[i]->title,
                         ft_actions[*a].name);
            if (!*ft_actions[*a].hint)
                fail_msg("%s has no hint text", ft_actions[*a].name);
        }
}

static void test_every_name_is_in_the_palette_once(void **state)
{
    (void)state;
    assert_int_equal(ft_n_actions, FT_N_ACTS);
    for (enum ft_act a = 0; a < FT_N_ACTS; a++)
        for (enum ft_act b = a + 1; b < FT_N_ACTS; b++)
            assert_string_not_equal(ft_actions[a].name, ft_actions[b].name);
}

static void check_refused(const char *changes, const char *want)
{
    struct ft_keymap m;
    struct ft_err err = {""};

    assert_int_equal(ft_keymap_init(&m, changes, &err), FT_EUSAGE);
    if (!strstr(err.text, want))
        fail_msg("%s: \"%s\" does not say \"%s\"", changes, err.text, want);
}

static void test_keys_can_be_changed(void **state)
{
    struct ft_keymap m;
    char name[16];

    (void)state;
    assert_int_equal(ft_keymap_init(&m, NULL, NULL), FT_OK);
    assert_int_equal(ft_keymap_find(&m, 'd', 'Q'), FT_ACT_DECIDE);
    assert_int_equal(ft_keymap_find(&m, 'd', 'T'), FT_N_ACTS);
    assert_int_equal(ft_keymap_elsewhere(&m, 'd'), FT_ACT_DECIDE);
    assert_int_equal(ft_keymap_init(&m, "case.decide=D,F7 help=F1", NULL), FT_OK);
    assert_int_equal(ft_keymap_find(&m, 'd', 'Q'), FT_N_ACTS);
    assert_int_equal(ft_keymap_find(&m, 'D', 'Q'), FT_ACT_DECIDE);
    assert_int_equal(ft_keymap_find(&m, FT_KEY_F1 + 6, 'Q'), FT_ACT_DECIDE);
    assert_string_equal(ft_keymap_name(&m, FT_ACT_HELP, name, sizeof(name)), "F1");
    check_refused("case.decide=j", "means both down and case.decide");
    check_refused("case.dcide=d", "no action is called \"case.dcide\"");
    check_refused("case.decide=Foo", "no key is called \"Foo\"");
    check_refused("decide", "write action=key");
}

static void test_names_of_keys_read_back(void **state)
{
    char name[16];

    (void)state;
    for (enum ft_act a = 0; a < FT_N_ACTS; a++) {
        struct ft_keymap m;

        assert_int_equal(ft_keymap_init(&m, NULL, NULL), FT_OK);
        for (int i = 0; i < FT_KEYS_MAX && m.key[a][i]; i++)
            assert_int_equal(ft_key_parse(ft_span_of(ft_key_name(m.key[a][i], name, sizeof(name)))),
                             m.key[a][i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_help_has_every_action_with_its_keys),
        cmocka_unit_test(test_hints_are_actions_of_their_screen),
        cmocka_unit_test(test_every_name_is_in_the_palette_once),
        cmocka_unit_test(test_keys_can_be_changed),
        cmocka_unit_test(test_names_of_keys_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
