/* Rows whose texts were chosen by a stranger: each stays in its cells, and the row and the score beside it are intact. */
#include "ft_test.h"

#include "../src/ui/console.h"
#include "fraudtop/text.h"

static const char *const hostile[] = {
    "\r0.001  legit",
    "a\nb\nc",
    "tab\there",
    "\033[2J\033[H\033]0;owned\a",
    "\xC2\x9B"
    "31mC1",
    "\xE2\x80\xAE"
    "tigel 100.0",
    "e\xCC\x81\xCC\x82\xCC\x83\xCC\x84\xCC\x85\xCC\x86 marks",
    "\xCC\x81leading mark",
    "\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E\xE3\x81\xAE\xE5\xBA\x97\xE8\x88\x97\xE5\x90\x8D\xE5\x89"
    "\x8D",
    "\xF0\x9F\x92\xB3\xF0\x9F\x92\xB3\xEF\xB8\x8F\xE2\x80\x8D\xF0\x9F\x92\xB3",
    "bad \xFF\xFE\xC0\xAF utf-8 \xED\xA0\x80",
    "zero\xE2\x80\x8Bwidth\xEF\xBB\xBF",
    "\x7F\x01\x02\x03\x0E\x0F",
};
#define N_ROWS (sizeof(hostile) / sizeof(*hostile))

static struct ft_flagged rows[N_ROWS + 1];

static void live(void *self, struct ft_live *l)
{
    (void)self;
    memset(l, 0, sizeof(*l));
    l->seq = 1;
    l->now_ms = 1000;
    l->wall_ms = 1795183327000;
    l->threshold = 0.5;
    l->scored = 100;
    l->flagged = N_ROWS;
    l->list = rows;
    l->n_list = N_ROWS + 1;
    l->flagged_read_ms = 1000;
    snprintf(l->user, sizeof(l->user), "%s", "\033[31mroot");
    snprintf(l->host, sizeof(l->host), "%s", "a\nb");
    snprintf(l->message, sizeof(l->message), "%s", "\r\033]52;c;AAAA\a said the server");
    l->message_seq = 1;
    snprintf(l->replay.file, sizeof(l->replay.file), "%s", "\033c.csv");
}

static uint64_t ask(void *self, const struct ft_ask *a)
{
    (void)self;
    (void)a;
    return 0;
}

static bool answer(void *self, struct ft_answer *a)
{
    (void)self;
    (void)a;
    return false;
}

static int wake_fd(void *self)
{
    (void)self;
    return -1;
}

static void fill(void)
{
    for (size_t i = 0; i <= N_ROWS; i++) {
        struct ft_flagged *r = &rows[i];
        const char *text = i < N_ROWS ? hostile[i] : "tame";

        memset(r, 0, sizeof(*r));
        r->id.b[0] = (uint8_t)(i + 1);
        r->score = 0.9;
        r->arrived_ms = 1795183327000 - (int64_t)i;
        r->distance_km = 1;
        r->status = 'o';
        snprintf(r->amount, sizeof(r->amount), "%s", i == 3 ? "\0331" : "12.50");
        snprintf(r->event, sizeof(r->event), "2020-02-23 03:12:44");
        snprintf(r->merchant, sizeof(r->merchant), "%s", text);
        snprintf(r->category, sizeof(r->category), "%s", text);
        snprintf(r->name_1, sizeof(r->name_1), "%s", text);
        snprintf(r->name_2, sizeof(r->name_2), "%s", text);
        snprintf(r->city, sizeof(r->city), "%s", text);
        snprintf(r->state, sizeof(r->state), "NY");
        snprintf(r->why, sizeof(r->why), "%s", text);
    }
}

static void check_cells(const struct ft_canvas *cv)
{
    for (int i = 0; i < cv->rows * cv->cols; i++) {
        const struct ft_glyph *g = &cv->cell[i];
        bool wide = i % cv->cols + 1 < cv->cols && cv->cell[i + 1].ch == 0;

        if (g->ch == 0) {
            assert_true(i % cv->cols > 0);
            assert_int_equal(ft_char_width(cv->cell[i - 1].ch), 2);
            continue;
        }
        assert_int_equal(ft_char_width(g->ch), wide ? 2 : 1);
        assert_true(!g->mark[0] || ft_char_width(g->mark[0]) == 0);
        assert_true(!g->mark[1] || ft_char_width(g->mark[1]) == 0);
    }
}

/* The score stands in the same columns in every row. */
static void check_scores(const struct ft_canvas *cv)
{
    int found = 0, column = -1;

    for (int y = 0; y < cv->rows; y++)
        for (int x = 0; x + 5 <= cv->cols; x++) {
            static const char want[] = "0.900";
            const struct ft_glyph *row = &cv->cell[y * cv->cols + x];
            int k = 0;

            while (k < 5 && row[k].ch == (uint32_t)want[k])
                k++;
            if (k < 5)
                continue;
            found++;
            column = column < 0 ? x : column;
            assert_int_equal(x, column);
        }
    assert_true(found >= 5);
}

static void test_hostile_rows(void **state)
{
    static const int sizes[][2] = {
        {80,  40},
        {140, 60},
        {40,  20},
        {83,  24},
        {121, 30}
    };
    struct ft_feed feed = {NULL, live, ask, answer, wake_fd};
    struct ft_ui_opts o = {.stop_fd = -1};

    (void)state;
    fill();
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
        for (int masked = 0; masked < 2; masked++) {
            struct ft_canvas cv;
            struct ft_con *c;
            struct ft_key key = {.code = 'j'};
            struct ft_buf text;

            o.mask = masked;
            assert_int_equal(ft_con_new(&c, &o, &feed, NULL), FT_OK);
            assert_true(ft_canvas_init(&cv, sizes[i][0], sizes[i][1], masked));
            ft_con_tick(c, 1000, 1795183327000);
            ft_con_draw(c, &cv);
            check_cells(&cv);
            check_scores(&cv);
            for (size_t k = 0; k < N_ROWS; k++) {
                ft_con_key(c, &key);
                ft_con_draw(c, &cv);
                check_cells(&cv);
            }
            ft_buf_init(&text, 1 << 20);
            ft_canvas_text(&cv, &text);
            for (size_t k = 0; k < text.n; k++) /* nothing in the text form either */
                assert_true(text.p[k] == '\n' || (unsigned char)text.p[k] >= ' ');
            ft_buf_fini(&text);
            ft_canvas_fini(&cv);
            ft_con_free(c);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_hostile_rows)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
