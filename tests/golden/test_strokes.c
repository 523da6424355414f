/* Nothing that alters data happens on one key: whatever is pressed wherever, no decision, threshold or replay changes before a
 * second stroke.  And the selection is a transaction: a thousand sizes while the attack runs, and it is still that one. */
#include "ft_test.h"

#include <math.h>

#include "../src/ui/console.h"
#include "fraudtop/scene.h"

#define START_MS 1795183327000

/* ---- a scene that remembers what it was asked ---- */

static struct ft_feed inner;
static int asked[64];
static bool down; /* Kafka, whatever the scene says */

static void live(void *self, struct ft_live *l)
{
    inner.live(self, l);
    if (down)
        l->kafka.state = FT_PART_DOWN;
}

static uint64_t ask(void *self, const struct ft_ask *a)
{
    asked[a->kind]++;
    return inner.ask(self, a);
}

static bool answer(void *self, struct ft_answer *a)
{
    return inner.answer(self, a);
}

static int wake_fd(void *self)
{
    return inner.wake_fd(self);
}

struct rig {
    struct ft_scene *scene;
    struct ft_feed feed;
    struct ft_con *con;
    struct ft_canvas cv;
};

static void start_as(struct rig *r, const char *scene, struct ft_ui_opts o)
{
    o.mask = true;
    o.stop_fd = -1;
    o.export_dir = "/nonexistent";
    assert_int_equal(ft_scene_new(&r->scene, scene, 7, START_MS, NULL), FT_OK);
    ft_scene_at(r->scene, 20000);
    inner = *ft_scene_feed(r->scene);
    r->feed = (struct ft_feed){inner.self, live, ask, answer, wake_fd};
    assert_int_equal(ft_con_new(&r->con, &o, &r->feed, NULL), FT_OK);
    assert_true(ft_canvas_init(&r->cv, 100, 30, false));
    ft_con_tick(r->con, 0, 0);
    ft_con_draw(r->con, &r->cv);
}

static void start(struct rig *r, const char *scene)
{
    start_as(r, scene, (struct ft_ui_opts){0});
}

static void stop(struct rig *r)
{
    ft_canvas_fini(&r->cv);
    ft_con_free(r->con);
    ft_scene_free(r->scene);
}

static void type(struct rig *r, const char *keys)
{
    for (; *keys; keys++)
        ft_con_key(r->con, &(struct ft_key){.code = (uint32_t)(unsigned char)*keys});
    ft_con_draw(r->con, &r->cv);
}

static int altered(void)
{
    return asked[FT_ASK_DECIDE] + asked[FT_ASK_UNDO] + asked[FT_ASK_NOTE] + asked[FT_ASK_APPLY] +
           asked[FT_ASK_REPLAY_START] + asked[FT_ASK_REPLAY_STOP];
}

static void test_one_key_alters_nothing(void **state)
{
    static const char *const places[] = {"", "2", "2\r", "3]", "4jj", "5", "6", "2d", "3A", "4x"};

    (void)state;
    for (size_t p = 0; p < sizeof(places) / sizeof(*places); p++)
        for (uint32_t code = ' ' - 1; code < 0x7F; code++) {
            char what[2] = {code < ' ' ? '\r' : (char)code, '\0'}; /* Enter, too */
            bool second = strpbrk(places[p], "dAx") != NULL;
            struct rig r;

            /* y answers "apply?" and "stop?" by a second stroke: that is as it should be */
            if (second && what[0] == 'y')
                continue;
            start(&r, "normal");
            type(&r, places[p]);
            memset(asked, 0, sizeof(asked));
            type(&r, what);
            if (altered())
                fail_msg("after \"%s\" the key %u altered something", places[p], code);
            stop(&r);
        }
}

static void test_two_strokes_and_a_note_decide(void **state)
{
    struct rig r;

    (void)state;
    start(&r, "normal");
    memset(asked, 0, sizeof(asked));
    type(&r, "2df1\r");
    assert_int_equal(asked[FT_ASK_DECIDE], 1);
    stop(&r);
}

/* Escalating wants a note, and everything does where the settings say so. */
static void test_a_note_that_is_required(void **state)
{
    static const char *const keys[] = {"2de\r", "2df1\r", "2dl2\r", "2ds\r\r"};

    (void)state;
    for (int always = 0; always < 2; always++)
        for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
            int wanted = !always && i > 0;
            struct rig r;

            start_as(&r, "normal", (struct ft_ui_opts){.note_required = always});
            memset(asked, 0, sizeof(asked));
            type(&r, keys[i]);
            assert_int_equal(asked[FT_ASK_DECIDE], wanted);
            if (!wanted)
                type(&r, "why\r");
            assert_int_equal(asked[FT_ASK_DECIDE], 1);
            stop(&r);
        }
}

/* A scene has its own clock. */
static void tick_at(struct rig *r, int64_t ms)
{
    ft_scene_at(r->scene, ms);
    ft_con_tick(r->con, 0, 0);
}

static bool rings(struct rig *r, int64_t ms, bool is_down)
{
    bool rang;

    down = is_down;
    tick_at(r, 20000 + ms);
    rang = r->con->bell;
    r->con->bell = down = false;
    return rang;
}

/* Once for each event, 30 s apart at least: the second one is late, not lost. */
static void test_the_bell(void **state)
{
    struct rig r;

    (void)state;
    start_as(&r, "normal", (struct ft_ui_opts){.bell = "down"});
    assert_false(rings(&r, 1000, false));
    assert_true(rings(&r, 2000, true));
    assert_false(rings(&r, 3000, true));
    assert_false(rings(&r, 4000, false));
    assert_false(rings(&r, 10000, true));
    assert_false(rings(&r, 31000, true));
    assert_true(rings(&r, 33000, true));
    assert_false(rings(&r, 90000, true));
    stop(&r);
}

/* A message goes by itself, or with the next key where it shall stay. */
static void test_how_long_a_message_stays(void **state)
{
    struct rig r;

    (void)state;
    start(&r, "normal");
    type(&r, "~");
    assert_string_not_equal(r.con->message, "");
    tick_at(&r, 29000);
    assert_string_not_equal(r.con->message, "");
    tick_at(&r, 30000);
    assert_string_equal(r.con->message, "");
    stop(&r);
    start_as(&r, "normal", (struct ft_ui_opts){.message_ms = -1});
    type(&r, "~");
    tick_at(&r, 90000);
    assert_string_not_equal(r.con->message, "");
    type(&r, "j");
    assert_string_equal(r.con->message, "");
    stop(&r);
}

/* A lag that grows is a warning once it is more than a second's work. */
static void test_a_lag_worth_a_word(void **state)
{
    enum ft_role role;
    char text[64];

    (void)state;
    ft_lag_text(62, 7, 1000, text, sizeof(text), &role);
    assert_string_equal(text, "62 growing 7/s");
    assert_int_equal(role, FT_ROLE_NORMAL);
    ft_lag_text(1062, 7, 1000, text, sizeof(text), &role);
    assert_int_equal(role, FT_ROLE_WARN);
    ft_lag_text(62, 7, 0, text, sizeof(text), &role); /* nobody scores */
    assert_int_equal(role, FT_ROLE_WARN);
    ft_lag_text(62, 7, (double)NAN, text, sizeof(text), &role);
    assert_int_equal(role, FT_ROLE_WARN);
}

/* What is pasted is no command, and a prompt of one key does not take it either. */
static void test_pasted_text_decides_nothing(void **state)
{
    static const uint32_t begin = FT_KEY_PASTE_BEGIN, end = FT_KEY_PASTE_END;
    struct rig r;

    (void)state;
    start(&r, "normal");
    type(&r, "2");
    memset(asked, 0, sizeof(asked));
    ft_con_key(r.con, &(struct ft_key){.code = begin});
    type(&r, "df1\rdf1\rAy\rxy");
    ft_con_key(r.con, &(struct ft_key){.code = end});
    type(&r, "d");
    ft_con_key(r.con, &(struct ft_key){.code = begin});
    type(&r, "f1\r");
    ft_con_key(r.con, &(struct ft_key){.code = end});
    assert_int_equal(altered(), 0);
    stop(&r);
}

static void test_resizes_keep_the_selection(void **state)
{
    unsigned seed = 16;
    struct ft_uuid sel;
    struct rig r;

    (void)state;
    start(&r, "attack");
    type(&r, "jjjj");
    assert_true(r.con->flagged.has_sel);
    sel = r.con->flagged.sel;
    for (int i = 0; i < 1000; i++) {
        seed = seed * 1664525u + 1013904223u;
        ft_canvas_resize(&r.cv, 1 + (int)(seed >> 8) % 300, 1 + (int)(seed >> 20) % 80);
        if (i % 4 == 0) {
            ft_scene_at(r.scene, 20000 + i * 50);
            ft_con_tick(r.con, 0, 0);
        }
        ft_con_draw(r.con, &r.cv);
        assert_true(r.con->flagged.has_sel);
        assert_int_equal(ft_uuid_cmp(&r.con->flagged.sel, &sel), 0);
    }
    assert_true(r.con->flagged.at > 4); /* rows came in above it */
    stop(&r);
}

/* A new search, another order, one customer: nothing of what was there before is left over. */
static void test_what_is_asked_for_is_what_is_shown(void **state)
{
    struct rig r;

    (void)state;
    start(&r, "normal");
    for (const char *place = "126?"; *place; place++) {
        type(&r, (char[]){*place, '/', '\0'});
        type(&r, "Kovacek\r/");
        assert_string_equal(r.con->prompt.text, "");
        type(&r, "\033");
        if (*place == '?')
            type(&r, "\033");
    }
    type(&r, "1sI");
    type(&r, "\033I");
    assert_true(r.con->flagged.reverse);
    type(&r, "sa");
    assert_int_equal(r.con->flagged.sort, FT_SORT_AMOUNT);
    assert_false(r.con->flagged.reverse);
    type(&r, "cj\033"); /* looked at, nothing chosen */
    assert_int_equal(r.con->live_cols.n, 0);
    type(&r, "cj\r\033");
    assert_true(r.con->live_cols.n > 0);
    type(&r, "2");
    ft_con_tick(r.con, 1000, 1000);
    type(&r, "\r");
    ft_con_tick(r.con, 2000, 2000);
    type(&r, "wtransaction_time\r2020-02-23 12:00:00\r");
    ft_con_tick(r.con, 3000, 3000);
    ft_con_draw(r.con, &r.cv);
    assert_int_equal(r.con->cs.n_what_if, 1);
    assert_string_equal(r.con->cs.what_if[0].column, "transaction_time");
    type(&r, "w\r");
    assert_non_null(strstr(r.con->prompt.label, "amount, now"));
    type(&r, "\033\033m2");
    ft_con_tick(r.con, 2000, 2000);
    assert_true(r.con->queue.n_view > 0);
    type(&r, ":customer No Such Name\r");
    assert_int_equal(r.con->queue.n_view, 0);
    type(&r, ":customer No \"Name\r");
    assert_non_null(strstr(r.con->message, "quotation mark"));
    type(&r, "4");
    ft_con_tick(r.con, 3000, 3000);
    type(&r, "j\rG");
    assert_int_equal(r.con->rp.field, 5); /* start */
    type(&r, "g");
    assert_int_equal(r.con->rp.field, 0);
    stop(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_key_alters_nothing),
        cmocka_unit_test(test_two_strokes_and_a_note_decide),
        cmocka_unit_test(test_a_note_that_is_required),
        cmocka_unit_test(test_the_bell),
        cmocka_unit_test(test_how_long_a_message_stays),
        cmocka_unit_test(test_a_lag_worth_a_word),
        cmocka_unit_test(test_pasted_text_decides_nothing),
        cmocka_unit_test(test_resizes_keep_the_selection),
        cmocka_unit_test(test_what_is_asked_for_is_what_is_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
