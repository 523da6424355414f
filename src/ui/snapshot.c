#include "snapshot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fraudtop/text.h"

#ifndef FT_VERSION
#define FT_VERSION "0.1.0"
#endif

static void iso(int64_t wall_ms, char *out, size_t size)
{
    time_t t = (time_t)(wall_ms / 1000);
    struct tm tm;

    gmtime_r(&t, &tm);
    strftime(out, size, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

static const struct ft_list *list_of(const struct ft_con *c, enum ft_place place)
{
    return place == FT_PLACE_QUEUE ? &c->queue : place == FT_PLACE_LIVE ? &c->flagged : NULL;
}

void ft_snapshot_head(const struct ft_con *c, struct ft_buf *out, enum ft_place place)
{
    const struct ft_list *l = list_of(c, place);
    char when[32], host[64];

    iso(c->wall_ms, when, sizeof(when));
    ft_text_clean(host, sizeof(host), ft_span_of(c->live->host));
    ft_buf_fmt(out, "fraudtop %s  %s  %s  host %s%s\n", FT_VERSION, ft_views[place]->title, when,
               host,
               c->live->scene  ? "  SCENE"
               : c->live->demo ? "  DEMO"
                               : "");
    ft_buf_fmt(out, "filter %s  names %s\n", l && l->filter.n ? l->filter_text : "off",
               c->masked ? "masked" : "shown");
}

void ft_snapshot_ansi(const struct ft_canvas *cv, const struct ft_theme *theme, struct ft_buf *out)
{
    for (int y = 0; y < cv->rows; y++) {
        int role = -1;
        bool selected = false;

        for (int x = 0; x < cv->cols; x++) {
            const struct ft_glyph *cell = &cv->cell[y * cv->cols + x];
            char utf8[4];

            if (cell->ch == 0)
                continue;
            if (cell->role != role || cell->selected != selected) {
                const struct ft_look *look = &theme->role[cell->role];
                bool reverse = ((look->attr & FT_LOOK_REVERSE) != 0) != cell->selected;

                ft_buf_text(out, "\033[0");
                if (look->attr & FT_LOOK_BOLD)
                    ft_buf_text(out, ";1");
                if (look->attr & FT_LOOK_UNDERLINE)
                    ft_buf_text(out, ";4");
                if (reverse)
                    ft_buf_text(out, ";7");
                if (theme->rgb[cell->role])
                    ft_buf_fmt(out, ";38;2;%u;%u;%u", theme->rgb[cell->role] >> 16 & 255,
                               theme->rgb[cell->role] >> 8 & 255, theme->rgb[cell->role] & 255);
                else if (look->fg256 >= 0)
                    ft_buf_fmt(out, ";38;5;%d", look->fg256);
                ft_buf_char(out, 'm');
                role = cell->role;
                selected = cell->selected;
            }
            ft_buf_add(out, utf8, ft_char_put(utf8, cell->ch));
            for (int m = 0; m < 2 && cell->mark[m]; m++)
                ft_buf_add(out, utf8, ft_char_put(utf8, cell->mark[m]));
        }
        ft_buf_text(out, "\033[0m\n");
    }
}

void ft_snapshot_json(const struct ft_con *c, const struct ft_canvas *cv, enum ft_place place,
                      struct ft_buf *out)
{
    struct ft_buf text;
    char when[32];
    const char *p;
    bool first = true;

    ft_buf_init(&text, 16 << 20);
    ft_canvas_text(cv, &text);
    iso(c->wall_ms, when, sizeof(when));
    ft_buf_fmt(
        out,
        "{\"schema\":\"screen/1\",\"version\":\"%s\",\"screen\":\"%s\",\"at\":\"%s\",\"host\":",
        FT_VERSION, ft_views[place]->title, when);
    ft_buf_json(out, ft_span_of(c->live->host));
    ft_buf_fmt(out, ",\"masked\":%s,\"scene\":%s,\"cols\":%d,\"rows\":%d,\"lines\":[",
               c->masked ? "true" : "false", c->live->scene ? "true" : "false", cv->cols, cv->rows);
    for (p = text.p ? text.p : ""; *p;) {
        size_t n = strcspn(p, "\n");

        ft_buf_text(out, first ? "" : ",");
        ft_buf_json(out, (struct ft_span){p, n});
        first = false;
        p += n + (p[n] == '\n');
    }
    ft_buf_text(out, "]}\n");
    ft_buf_fini(&text);
}

static int64_t clock_ms(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Until what the screen asked for is answered, at most two seconds. */
static void settle(struct ft_con *c)
{
    int64_t until = clock_ms(CLOCK_MONOTONIC) + 2000;

    do {
        struct timespec ms = {0, 2000000};

        ft_con_tick(c, clock_ms(CLOCK_MONOTONIC), clock_ms(CLOCK_REALTIME));
        if (c->n_pending == 0 && c->live->seq)
            return;
        nanosleep(&ms, NULL);
    } while (clock_ms(CLOCK_MONOTONIC) < until);
}

char *ft_ui_snapshot(const struct ft_ui_opts *opts, struct ft_feed *feed, enum ft_screen screen,
                     int cols, int rows, const char *format)
{
    struct ft_ui_opts o = *opts;
    struct ft_canvas cv = {0};
    struct ft_con *c = NULL;
    enum ft_place place;
    struct ft_buf b;

    o.first = screen;
    ft_buf_init(&b, 64 << 20);
    if (ft_con_new(&c, &o, feed, NULL) != FT_OK || !ft_canvas_init(&cv, cols, rows, opts->ascii)) {
        ft_con_free(c);
        return NULL;
    }
    c->last_cols = cols;
    c->last_lines = rows;
    settle(c);
    place = ft_con_top(c);
    ft_con_draw(c, &cv);
    if (strcmp(format, "json") == 0) {
        ft_snapshot_json(c, &cv, place, &b);
    } else {
        ft_snapshot_head(c, &b, place);
        if (strcmp(format, "ansi") == 0)
            ft_snapshot_ansi(&cv, c->theme, &b);
        else
            ft_canvas_text(&cv, &b);
    }
    ft_canvas_fini(&cv);
    ft_con_free(c);
    if (b.failed) {
        ft_buf_fini(&b);
        return NULL;
    }
    return b.p;
}
