/*
 * Every screen in every state as text: seed 7, a clock that stands, keys typed.  expected/NAME.txt holds the pictures of one
 * shot at 40 x 10, 80 x 24 and 140 x 40, in UTF-8 and ASCII, and at 80 x 24 the roles (which become colours).  With
 * FT_UPDATE=1 they are written; look at the difference before it is committed.
 */
#include "ft_test.h"

#include "../src/ui/console.h"
#include "fraudtop/scene.h"

#define START_MS 1795183327000 /* 2026-11-20 14:02:07 UTC */
#define AT_MS 20000

enum {
    READ_ONLY = 1,
    UNMASKED = 2,
    FIRST_START = 4,
    TIPS = 8,
    SILENT = 16,
    FAILING = 32,
    FADING = 64
};

struct shot {
    const char *name, *scene;
    const char *keys; /* by name, parted by blanks; '"text"' is typed; @MS sets the clock */
    int flags;
};

/* clang-format off */
static const struct shot shots[] = {
    {"live", "normal", "", 0},
    {"live-attack", "attack", "", 0},
    {"live-drift", "drift", "W W W", 0},
    {"live-kafka-down", "kafka-down", "", 0},
    {"live-pg-down", "pg-down", "", 0},
    {"live-lag", "lag", "", 0},
    {"live-empty", "empty", "", 0},
    {"live-frozen", "normal", "z @32000", 0},
    {"live-moved", "normal", "j j j @57000", 0},
    {"live-filter", "normal", "f Ctrl-U \"score>=0.9 state=TX|NY\" Enter", 0},
    {"live-filter-none", "normal", "f \"amount>5000\" Enter", 0},
    {"live-filter-wrong", "normal", "f \"amount>12,5\" Enter", 0},
    {"live-filter-masked", "normal", "f \"customer~Young\" Enter", 0},
    {"live-run-window", "normal", "W W W", 0},
    {"live-unmasked", "normal", "", UNMASKED},
    {"live-read-only", "normal", "d", READ_ONLY},
    {"live-slow", "normal", ": \"slow\" Enter @31000", 0},
    {"live-tip", "normal", "", TIPS},
    {"live-wrong-key", "normal", "p", 0},
    {"live-columns", "normal", "c", 0},
    {"live-sorted", "normal", "s a", 0},
    {"live-search", "normal", "/ \"renner\" Enter n", 0},
    {"live-quit-asks-nothing", "normal", "q", 0},
    {"queue", "normal", "2", 0},
    {"queue-marked", "normal", "2 Space j Space j", 0},
    {"queue-mark-all", "normal", "2 M y d f 1 \"test\" Enter", 0},
    {"queue-pg-down", "pg-down", "2", 0},
    {"queue-empty", "empty", "2", 0},
    {"queue-filter-none", "normal", "2 f \"amount>5000\" Enter @21000", 0},
    {"queue-by-waiting", "normal", "2 s w", 0},
    {"queue-claimed", "normal", "2 a @23000", 0},
    {"queue-decided", "normal", "2 d f 1 \"holder confirms theft\" Enter @23000", 0},
    {"queue-conflict", "normal", "2 f \"claimed=ben\" Enter d f 1 Enter", 0},
    {"queue-next-free", "normal", "2 .", 0},
    {"case", "normal", "2 Enter", 0},
    {"case-fields", "normal", "2 Enter Tab", 0},
    {"case-why", "normal", "2 Enter Tab Tab", 0},
    {"case-customer", "normal", "2 Enter Tab Tab Tab", 0},
    {"case-merchant", "normal", "2 Enter Tab Tab Tab Tab", 0},
    {"case-audit", "normal", "2 Enter i \"called the holder, no answer\" Enter S-Tab S-Tab", 0},
    {"case-raw", "normal", "2 Enter S-Tab", 0},
    {"case-what-if", "normal", "2 Enter w Ctrl-U \"amount\" Enter \"41.20\" Enter", 0},
    {"case-what-if-wrong", "normal", "2 Enter w Ctrl-U \"amuont\" Enter", 0},
    {"case-decide", "normal", "2 Enter d", 0},
    {"case-decide-reason", "normal", "2 Enter d f", 0},
    {"case-decide-note", "normal", "2 Enter d f 1 \"holder confirms theft\"", 0},
    {"case-snooze", "normal", "2 Enter d s", 0},
    {"case-escalate", "normal", "2 Enter d e Enter", 0},
    {"case-undo", "normal", "2 Enter d f 1 Enter u \"wrong one\" Enter", 0},
    {"case-pg-down", "pg-down", "Enter", 0},
    {"case-forward", "normal", "2 Enter J J", 0},
    {"threshold", "normal", "3", 0},
    {"threshold-moved", "normal", "3 } } } ]", 0},
    {"threshold-below", "normal", "3 { { [", 0},
    {"threshold-apply", "normal", "3 } } } A", 0},
    {"threshold-applied", "normal", "3 } } A y \"too many reviews\" Enter @22000", 0},
    {"threshold-sample", "normal", "3 S", 0},
    {"replay", "normal", "4", 0},
    {"replay-paused", "normal", "4 p @21000", 0},
    {"replay-held", "kafka-down", "4", 0},
    {"replay-stopped", "normal", "4 x y @21000", 0},
    {"replay-stop-asks", "normal", "4 x", 0},
    {"replay-rate", "normal", "4 > @21000", 0},
    {"replay-rejects", "normal", "4 r", 0},
    {"replay-form", "normal", "4 j j Enter", 0},
    {"health", "normal", "5", 0},
    {"health-kafka-down", "kafka-down", "5", 0},
    {"health-pg-down", "pg-down", "5", 0},
    {"health-lag", "lag", "5", 0},
    {"topics", "normal", ": \"topics\" Enter", 0},
    {"messages", "normal", "5 Enter", 0},
    {"message", "normal", "5 Enter Enter", 0},
    {"log", "normal", "6", 0},
    {"log-decisions", "normal", "2 d f 1 Enter d l 2 Enter u \"mistake\" Enter 6 @26000", 0},
    {"help-live", "normal", "?", 0},
    {"help-case", "normal", "2 Enter ?", 0},
    {"help-scrolled", "normal", "? G", 0},
    {"help-search", "normal", "? / \"mark\" Enter", 0},
    {"palette", "normal", ":", 0},
    {"palette-typed", "normal", ": \"c\" Down", 0},
    {"palette-unknown", "normal", ": \"frobnicate\" Enter", 0},
    {"options", "normal", "o j", 0},
    {"options-last", "normal", "o k h", 0},
    {"handover", "normal", ": \"handover\" Enter", 0},
    {"first-start", "kafka-down", "", FIRST_START},
    /* what was asked for does not come, is refused, or came once and then no more */
    {"queue-waiting", "normal", "2 @23000", SILENT},
    {"queue-failed", "normal", "2", FAILING},
    {"queue-stale", "normal", "2 @25000 @40000", FADING},
    {"case-waiting", "normal", "Enter @23000", SILENT},
    {"case-failed", "normal", "Enter", FAILING},
    {"case-stale", "normal", "Enter @25000 R @40000", FADING},
    {"threshold-waiting", "normal", "3 @23000", SILENT},
    {"threshold-failed", "normal", "3", FAILING},
    {"threshold-stale", "normal", "3 @25000 R @40000", FADING},
    {"replay-waiting", "normal", "4 @23000", SILENT},
    {"replay-failed", "normal", "4", FAILING},
    {"replay-stale", "normal", "4 @25000 R @40000", FADING},
    {"queue-stays", "normal", "2 s w I @25000 @60000", 0},
    {"replay-queued", "normal", "4 j Enter Down Down Down Down Enter @21000", 0},
    {"replay-queued-stop", "normal", "4 j Enter Down Down Down Down Enter @21000 j x", 0},
    {"replay-taken-back", "normal", "4 j Enter Down Down Down Down Enter @21000 x y @22000", 0},
    {"replay-search", "normal", "4 / \"csv\" Enter n", 0},
    {"replay-marked", "normal", "4 j Space j Space Enter", 0},
    {"rejects-waiting", "normal", "4 r @23000", SILENT},
    {"health-waiting", "normal", "5 @23000", SILENT},
    {"health-failed", "normal", "5", FAILING},
    {"health-stale", "normal", "5 @25000 R @40000", FADING},
    {"topics-waiting", "normal", ": \"topics\" Enter @23000", SILENT},
    {"topics-failed", "normal", ": \"topics\" Enter", FAILING},
    {"messages-waiting", "normal", ": \"find 761fe3bc-32b6-8213-a2c0-cbf6d462934c\" Enter @23000", SILENT},
    {"messages-found", "normal", ": \"find 761fe3bc-32b6-8213-a2c0-cbf6d462934c\" Enter", 0},
    {"log-waiting", "normal", "6 @23000", SILENT},
    {"log-failed", "normal", "6", FAILING},
    {"log-stale", "normal", "6 @25000 R @40000", FADING},
    {"log-line", "normal", "6 Enter", 0},
    {"addresses", "normal", ": \"kafka edit\" Enter", 0},
};
/* clang-format on */
#define N_SHOTS (sizeof(shots) / sizeof(*shots))

static const struct {
    int cols, rows;
    bool ascii;
} sizes[] = {
    {80,  24, false},
    {80,  24, true },
    {40,  10, false},
    {40,  10, true },
    {140, 40, false},
    {140, 40, true }
};

static void type(struct ft_con *c, uint32_t code)
{
    struct ft_key key = {.code = code};

    ft_con_key(c, &key);
}

static void play(struct ft_con *c, struct ft_scene *s, const char *keys)
{
    while (*(keys += strspn(keys, " "))) {
        size_t n = strcspn(keys, " ");

        if (*keys == '"') {
            for (keys++; *keys && *keys != '"'; keys++)
                type(c, (uint32_t)*keys);
            keys += *keys == '"';
            continue;
        }
        if (*keys == '@') {
            ft_scene_at(s, atol(keys + 1));
            ft_con_tick(c, 0, 0);
        } else {
            type(c, ft_key_parse((struct ft_span){keys, n}));
        }
        keys += n;
    }
}

/* ---- a feed that answers late, or not well ------------------------------------------------------------ */

static struct {
    struct ft_feed inner;
    int flags;
    uint64_t ticket[64];
    enum ft_ask_kind kind[64];
    int n;
} slow;

static void slow_live(void *self, struct ft_live *out)
{
    (void)self;
    slow.inner.live(slow.inner.self, out);
}

static bool good(void)
{
    struct ft_live *l;
    bool early;

    if (!(slow.flags & FADING))
        return !(slow.flags & (SILENT | FAILING));
    l = malloc(sizeof(*l));
    slow.inner.live(slow.inner.self, l);
    early = l->wall_ms - START_MS < AT_MS + 5000;
    free(l);
    return early;
}

static uint64_t slow_ask(void *self, const struct ft_ask *ask)
{
    (void)self;
    if (good())
        return slow.inner.ask(slow.inner.self, ask);
    if (slow.n < 64) {
        slow.ticket[slow.n] = 1000000 + (uint64_t)slow.n;
        slow.kind[slow.n++] = ask->kind;
    }
    return slow.ticket[slow.n - 1];
}

static bool slow_answer(void *self, struct ft_answer *out)
{
    (void)self;
    if (slow.inner.answer(slow.inner.self, out))
        return true;
    if (slow.flags & SILENT || slow.n == 0)
        return false;
    *out = (struct ft_answer){.ticket = slow.ticket[--slow.n], .kind = slow.kind[slow.n]};
    snprintf(out->error, sizeof(out->error), "canceling statement due to statement timeout");
    return true;
}

static int slow_wake(void *self)
{
    (void)self;
    return -1;
}

static void picture(const struct shot *shot, size_t size, struct ft_buf *out)
{
    struct ft_feed feed = {NULL, slow_live, slow_ask, slow_answer, slow_wake};
    struct ft_ui_opts o = {.mask = !(shot->flags & UNMASKED),
                           .read_only = (shot->flags & READ_ONLY) != 0,
                           .first_start = (shot->flags & FIRST_START) != 0,
                           .strip_prefix = "fraud_",
                           .stop_fd = -1};
    struct ft_scene *s;
    struct ft_canvas cv;
    struct ft_con *c;

    assert_int_equal(ft_scene_new(&s, shot->scene, 7, START_MS, NULL), FT_OK);
    ft_scene_at(s, AT_MS);
    slow.inner = *ft_scene_feed(s);
    slow.flags = shot->flags;
    slow.n = 0;
    assert_int_equal(ft_con_new(&c, &o, &feed, NULL), FT_OK);
    c->starts = shot->flags & TIPS ? 1 : 0;
    assert_true(ft_canvas_init(&cv, sizes[size].cols, sizes[size].rows, sizes[size].ascii));
    ft_con_tick(c, 0, 0);
    ft_con_draw(c, &cv);
    play(c, s, shot->keys);
    ft_con_draw(c, &cv);
    ft_buf_fmt(out, "== %d x %d %s, cursor %d,%d\n", cv.cols, cv.rows, cv.ascii ? "ASCII" : "UTF-8",
               cv.cursor_y, cv.cursor_x);
    ft_canvas_text(&cv, out);
    if (size == 0) {
        ft_buf_text(out, "== roles\n");
        ft_canvas_roles(&cv, out);
    }
    ft_canvas_fini(&cv);
    ft_con_free(c);
    ft_scene_free(s);
}

static char *read_text(const char *path)
{
    FILE *f = fopen(path, "rb");
    char *text;
    size_t n;

    if (!f)
        return NULL;
    text = calloc(1, 1 << 18);
    n = fread(text, 1, (1 << 18) - 1, f);
    text[n] = '\0';
    fclose(f);
    return text;
}

static void compare(const char *name, const char *want, const char *got)
{
    int line = 1;

    for (; *want && *got; line++) {
        size_t n = strcspn(want, "\n"), m = strcspn(got, "\n");

        if (n != m || memcmp(want, got, n) != 0)
            fail_msg("%s.txt:%d:\n  expected %.*s\n  drawn    %.*s", name, line, (int)n, want,
                     (int)m, got);
        want += n + (want[n] != 0);
        got += m + (got[m] != 0);
    }
    if (*want || *got)
        fail_msg("%s.txt:%d: one of them ends", name, line);
}

/* No name or street that is masked may be on any picture. */
static void check_masked(const struct shot *shot, const char *pictures)
{
    static const char *const hidden[] = {
        "Maria",  "Catherine",  "Samuel",       "Frances",       "Jennifer",
        "Daniel", "Perry Cove", "Riley Greens", "Cynthia Court", "Sanchez Common"};

    for (size_t k = 0; k < sizeof(hidden) / sizeof(*hidden); k++)
        if (!(shot->flags & UNMASKED) && strstr(pictures, hidden[k]))
            fail_msg("%s shows \"%s\"", shot->name, hidden[k]);
}

static void test_shots(void **state)
{
    const char *update = getenv("FT_UPDATE");

    (void)state;
    for (size_t i = 0; i < N_SHOTS; i++) {
        struct ft_buf out;
        char path[512], *want;

        ft_buf_init(&out, 1 << 20);
        for (size_t k = 0; k < sizeof(sizes) / sizeof(*sizes); k++)
            picture(&shots[i], k, &out);
        assert_false(out.failed);
        check_masked(&shots[i], out.p);
        snprintf(path, sizeof(path), "%s/tests/golden/expected/%s.txt", FT_SOURCE_DIR,
                 shots[i].name);
        if (update && *update == '1') {
            FILE *f = fopen(path, "wb");

            assert_non_null(f);
            fwrite(out.p, 1, out.n, f);
            fclose(f);
        } else {
            want = read_text(path);
            if (!want)
                fail_msg("%s is missing (FT_UPDATE=1 writes it)", path);
            compare(shots[i].name, want, out.p);
            free(want);
        }
        ft_buf_fini(&out);
    }
}

/* Nothing outside its line, nothing wider than the canvas, at any size. */
static void test_every_size(void **state)
{
    /* both sides of each edge between two layouts */
    static const int widths[] = {1, 39, 40, 79, 80, 119, 120, 300};
    static const int heights[] = {1, 9, 10, 11, 23, 24, 29, 30, 80};

    (void)state;
    for (size_t i = 0; i < N_SHOTS; i++) {
        struct ft_ui_opts o = {.mask = true, .stop_fd = -1, .strip_prefix = "fraud_"};
        struct ft_scene *s;
        struct ft_con *c;

        assert_int_equal(ft_scene_new(&s, shots[i].scene, 7, START_MS, NULL), FT_OK);
        ft_scene_at(s, AT_MS);
        assert_int_equal(ft_con_new(&c, &o, ft_scene_feed(s), NULL), FT_OK);
        ft_con_tick(c, 0, 0);
        play(c, s, shots[i].keys);
        for (size_t w = 0; w < sizeof(widths) / sizeof(*widths); w++)
            for (size_t h = 0; h < sizeof(heights) / sizeof(*heights); h++) {
                struct ft_canvas cv;

                assert_true(ft_canvas_init(&cv, widths[w], heights[h], (w + h) % 2));
                ft_con_draw(c, &cv);
                assert_in_range(cv.cursor_x, 0, cv.cols - 1);
                assert_in_range(cv.cursor_y, 0, cv.rows - 1);
                ft_canvas_fini(&cv);
            }
        ft_con_free(c);
        ft_scene_free(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shots),
        cmocka_unit_test(test_every_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
