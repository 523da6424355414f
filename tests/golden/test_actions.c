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

struct rig {
    struct ft_scene *scene;
    struct ft_con *con;
    struct ft_canvas cv;
};

static void open_rig(struct rig *r, int cols, int rows)
{
    struct ft_ui_opts o = {.mask = true, .stop_fd = -1};

    assert_int_equal(ft_scene_new(&r->scene, "normal", 7, 1795183327000, NULL), FT_OK);
    ft_scene_at(r->scene, 20000);
    assert_int_equal(ft_con_new(&r->con, &o, ft_scene_feed(r->scene), NULL), FT_OK);
    assert_true(ft_canvas_init(&r->cv, cols, rows, true));
    ft_con_tick(r->con, 0, 0);
    ft_con_draw(r->con, &r->cv);
}

static void close_rig(struct rig *r)
{
    ft_canvas_fini(&r->cv);
    ft_con_free(r->con);
    ft_scene_free(r->scene);
}

static void type(struct rig *r, const char *keys)
{
    for (; *keys; keys++) {
        struct ft_key key = {.code = (uint32_t)*keys};

        ft_con_key(r->con, &key);
    }
    ft_con_draw(r->con, &r->cv);
}

/* Clicks on a word of the picture. */
static void click(struct rig *r, const char *word)
{
    struct ft_key key = {.code = FT_KEY_CLICK};
    struct ft_buf text;
    const char *p;
    int y = 0;

    ft_buf_init(&text, 1 << 20);
    ft_canvas_text(&r->cv, &text);
    p = strstr(text.p, word);
    if (!p)
        fail_msg("\"%s\" is not on the screen", word);
    for (const char *q = text.p; q < p; q++) {
        y += *q == '\n';
        key.x = *q == '\n' ? 0 : key.x + 1;
    }
    key.y = y;
    ft_buf_fini(&text);
    ft_con_key(r->con, &key);
    ft_con_draw(r->con, &r->cv);
}

static void test_a_click_on_a_heading_sorts(void **state)
{
    struct rig r;

    (void)state;
    open_rig(&r, 80, 24);
    click(&r, "AMOUNT");
    assert_int_equal(r.con->flagged.sort, FT_SORT_AMOUNT);
    assert_false(r.con->flagged.reverse);
    click(&r, "AMOUNT");
    assert_true(r.con->flagged.reverse);
    click(&r, "EVENT");
    assert_int_equal(r.con->flagged.sort, FT_SORT_NEWEST);
    assert_false(r.con->flagged.reverse);
    click(&r, "CATEGORY");
    assert_int_equal(r.con->flagged.sort, FT_SORT_NEWEST);
    assert_non_null(strstr(r.con->message, "Nothing is sorted by category"));
    type(&r, "2");
    click(&r, "WAITING");
    assert_int_equal(r.con->queue.sort, FT_SORT_WAITING);
    close_rig(&r);
}

static void test_the_palette_takes_what_people_type(void **state)
{
    struct rig r;

    (void)state;
    open_rig(&r, 80, 24);
    type(&r, ":threshold simulate 0.65\r");
    assert_int_equal(ft_con_top(r.con), FT_PLACE_THRESHOLD);
    assert_true(r.con->thr.cursor > 0.6499 && r.con->thr.cursor < 0.6501);
    type(&r, ":threshold 0.7\r");
    assert_true(r.con->thr.cursor > 0.6999);
    type(&r, ":kafka edit\r");
    assert_int_equal(ft_con_top(r.con), FT_PLACE_TEXT);
    type(&r, ":queue\r:decide\r"); /* a part of case.decide */
    assert_int_equal(ft_con_top(r.con), FT_PLACE_QUEUE);
    assert_true(r.con->prompt.active);
    assert_non_null(strstr(r.con->prompt.label, "f fraud"));
    type(&r, "\033:topics\r");
    assert_int_equal(ft_con_screen(r.con), FT_PLACE_HEALTH);
    assert_false(r.con->quit);
    type(&r, ":q\r");
    assert_true(r.con->quit);
    close_rig(&r);
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
        cmocka_unit_test(test_a_click_on_a_heading_sorts),
        cmocka_unit_test(test_the_palette_takes_what_people_type),
        cmocka_unit_test(test_names_of_keys_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
