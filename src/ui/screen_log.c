/* Log: what happened, who decided what? */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console.h"
#include "fraudtop/text.h"

#define RELOAD_MS 5000

static void log_answer(struct ft_con *c, const struct ft_answer *a, const cJSON *json)
{
    (void)json;
    ft_loaded_take(c, &c->lg.data, a);
}

void ft_log_reload(struct ft_con *c)
{
    ft_con_load(c, &c->lg.data, FT_ASK_LOG, log_answer, "{\"limit\":500}");
}

static void log_tick(struct ft_con *c)
{
    if (!c->frozen && c->now_ms - c->lg.data.asked_ms >= RELOAD_MS)
        ft_log_reload(c);
}

/* No level is told by colour alone. */
static char sign(const char *level)
{
    return *level == 'e' ? 'E' : *level == 'w' ? 'W' : ' ';
}

static void draw_line(const struct ft_con *c, struct ft_canvas *cv, int y, int w, const cJSON *one)
{
    const char *level = ft_js_text(one, "level"), *by = ft_js_text(one, "by");
    char when[24], tx[FT_SHORT_ID] = "";
    struct ft_uuid id;

    if (ft_uuid_parse(&id, ft_span_of(ft_js_text(one, "transaction_id"))))
        ft_show_id(&id, tx);
    ft_show_date(c, ft_js_time(one, "at"), when, sizeof(when));
    ft_putf(cv, y, 1, w - 1,
            *level == 'e'   ? FT_ROLE_FRAUD
            : *level == 'w' ? FT_ROLE_WARN
                            : FT_ROLE_NORMAL,
            "%s %c %-8.8s %s%s%s",
            w >= 100           ? when
            : strlen(when) > 5 ? when + 5
                               : when,
            sign(level), *by ? by : ft_js_text(one, "part"), ft_js_text(one, "text"),
            *tx ? "   tx " : "", tx);
}

static void log_draw(struct ft_con *c, struct ft_canvas *cv, struct ft_box b)
{
    const cJSON *rows = cJSON_GetObjectItemCaseSensitive(c->lg.data.json, "entries"), *one;
    int i = 0, most = cJSON_GetArraySize(rows), top;
    char right[80], age[40];

    snprintf(right, sizeof(right), *c->lg.search ? "search: %s" : "newest first", c->lg.search);
    ft_title(c, cv, b.y, b.x, b.w, "log: what happened, who decided what",
             ft_loaded_age(c, &c->lg.data, age, sizeof(age), right));
    b.y++, b.h--;
    if (!ft_loaded_draw(c, &c->lg.data, cv, b))
        return;
    if (most == 0)
        ft_put(cv, b.y, 1, b.w - 1, FT_ROLE_NORMAL, "Nothing has happened yet.");
    c->lg.at = c->lg.at >= most ? (most ? most - 1 : 0) : c->lg.at;
    top = c->lg.at - (b.h - 1);
    top = top < 0 ? 0 : top;
    cJSON_ArrayForEach(one, rows)
    {
        int y = b.y + i - top;

        if (i >= top && i - top < b.h)
            draw_line(c, cv, y, b.w, one);
        if (i == c->lg.at) {
            ft_put(cv, y, 0, 1, FT_ROLE_STRONG, ">");
            ft_select(cv, y, 0, b.w);
            cv->cursor_x = 0;
            cv->cursor_y = y;
        }
        i++;
    }
}

static bool is_found(const struct ft_con *c, int i)
{
    const cJSON *one =
        cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(c->lg.data.json, "entries"), i);

    return ft_text_holds(ft_js_text(one, "text"), c->lg.search) ||
           ft_text_holds(ft_js_text(one, "by"), c->lg.search) ||
           ft_text_holds(ft_js_text(one, "part"), c->lg.search);
}

static void log_find(struct ft_con *c, int dir)
{
    int n = cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(c->lg.data.json, "entries")),
        i = ft_find_around(c, n, c->lg.at, dir, is_found);

    if (i >= 0)
        c->lg.at = i;
    else
        ft_say(c, "\"%s\" is not in the log shown.", c->lg.search);
}

static void log_search(struct ft_con *c, const char *text)
{
    snprintf(c->lg.search, sizeof(c->lg.search), "%s", text);
    if (*text)
        log_find(c, 1);
}

/* The transaction that a line is about, else the line as a whole. */
static void open_line(struct ft_con *c, const cJSON *one)
{
    const char *by = ft_js_text(one, "by"), *text = ft_js_text(one, "text");
    char when[24], *whole;
    struct ft_uuid id;
    struct ft_buf b;

    if (ft_uuid_parse(&id, ft_span_of(ft_js_text(one, "transaction_id")))) {
        ft_case_open(c, &id, NULL);
        return;
    }
    ft_show_date(c, ft_js_time(one, "at"), when, sizeof(when));
    ft_buf_init(&b, 1 << 20);
    ft_buf_fmt(&b, "at     %s\nlevel  %s\npart   %s\nby     %s\n\n", when, ft_js_text(one, "level"),
               ft_js_text(one, "part"), *by ? by : "-");
    whole = ft_text_wrap(text, c->last_cols > 20 ? c->last_cols - 2 : 78);
    ft_buf_text(&b, whole ? whole : text);
    free(whole);
    if (!b.failed)
        ft_text_show(c, "log line", b.p);
    ft_buf_fini(&b);
}

static bool log_act(struct ft_con *c, enum ft_act a)
{
    const cJSON *one =
        cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(c->lg.data.json, "entries"), c->lg.at);

    switch (a) {
    case FT_ACT_OPEN:
        if (one)
            open_line(c, one);
        return true;
    case FT_ACT_SEARCH:
        ft_prompt_text(c, "search", "", log_search);
        return true;
    case FT_ACT_SEARCH_NEXT:
    case FT_ACT_SEARCH_PREV:
        if (*c->lg.search)
            log_find(c, a == FT_ACT_SEARCH_NEXT ? 1 : -1);
        return true;
    default:
        return ft_scroll_act(a, 15, &c->lg.at);
    }
}

static const enum ft_act log_hints[] = {FT_ACT_OPEN, FT_ACT_SEARCH, FT_ACT_EXPORT, FT_ACT_REFRESH,
                                        FT_N_ACTS};

const struct ft_view ft_view_log = {
    .letter = 'G',
    .title = "Log",
    .tip = "Tip: {open} opens the transaction that a line is about, or the whole line",
    .hints = log_hints,
    .draw = log_draw,
    .act = log_act,
    .enter = ft_log_reload,
    .tick = log_tick};
