/* Health: which part is at fault?  And the topics with their messages. */
#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console.h"
#include "fraudtop/text.h"

#define RELOAD_MS 5000

static void parts_answer(struct ft_con *c, const struct ft_answer *a, const cJSON *json)
{
    (void)json;
    ft_loaded_take(c, &c->he.parts, a);
}

static void log_answer(struct ft_con *c, const struct ft_answer *a, const cJSON *json)
{
    (void)json;
    ft_loaded_take(c, &c->lg.data, a);
}

void ft_log_reload(struct ft_con *c)
{
    ft_con_load(c, &c->lg.data, FT_ASK_LOG, log_answer, "{\"limit\":500}");
}

static void enter(struct ft_con *c)
{
    ft_con_load(c, &c->he.parts, FT_ASK_PARTITIONS, parts_answer, NULL);
    ft_log_reload(c);
}

static void on_tick(struct ft_con *c)
{
    if (!c->frozen && c->now_ms - c->he.parts.asked_ms >= RELOAD_MS)
        enter(c);
}

/* ---- panes ---------------------------------------------------------------------------------------- */

static int draw_trouble(const struct ft_con *c, struct ft_canvas *cv, struct ft_box b,
                        const char *name, const struct ft_part *p, const char *held,
                        const char *works)
{
    char left[300], when[24], key[16];
    int used;

    if (p->state != FT_PART_DOWN || b.h < 4)
        return 0;
    ft_show_clock(c, c->wall_ms - (c->now_ms - p->since_ms), when, sizeof(when));
    snprintf(left, sizeof(left), "! %s: not reachable since %s", name, when);
    ft_title(c, cv, b.y, b.x, b.w, left, "tried again by itself");
    ft_paint(cv, b.y, b.x + 3, (int)strlen(left), FT_ROLE_DOWN);
    snprintf(left, sizeof(left), "%s  %s", p->where, p->error);
    used = ft_put_lines(cv, b.y + 1, 3, b.w - 3, b.h > 12 ? 3 : 1, FT_ROLE_NORMAL, left);
    ft_putf(cv, b.y + 1 + used, 3, b.w - 3, FT_ROLE_NORMAL, "held: %s", held);
    ft_putf(cv, b.y + 2 + used, 3, b.w - 3, FT_ROLE_NORMAL, "still works: %s   %s try now", works,
            ft_keymap_name(&c->keymap, FT_ACT_REFRESH, key, sizeof(key)));
    return 3 + used;
}

static int draw_partitions(const struct ft_con *c, struct ft_canvas *cv, struct ft_box b)
{
    const cJSON *rows = cJSON_GetObjectItemCaseSensitive(c->he.parts.json, "partitions"), *one;
    int64_t age = c->now_ms - c->he.parts.at_ms;
    bool stale = c->he.parts.have && (c->he.parts.failed || c->live->kafka.state == FT_PART_DOWN) &&
                 age > 2000;
    char right[40] = "", n[3][32];
    int y = b.y + 2, i = 0, name_w = 13 + (b.w > 80 ? (b.w - 80) / 3 : 0);

    if (stale)
        snprintf(right, sizeof(right), "stale %d s", (int)(age / 1000));
    ft_title(c, cv, b.y, b.x, b.w, "partitions", right);
    if (!ft_loaded_draw(c, &c->he.parts, cv, (struct ft_box){b.y + 1, 0, b.h - 1, b.w}))
        return c->he.parts.failed ? 5 : 2;
    if (cJSON_GetArraySize(rows) == 0) {
        ft_put(cv, b.y + 1, 1, b.w - 1, FT_ROLE_MUTED, "no partitions are known");
        return 2;
    }
    ft_putf(cv, b.y + 1, 1, b.w - 1, FT_ROLE_STRONG, "  %-*s %4s %12s %12s %9s %7s  OWNER", name_w,
            "TOPIC", "PART", "END OFFSET", "COMMITTED", "LAG", "PER S");
    cJSON_ArrayForEach(one, rows)
    {
        double lag = ft_js_number(one, "lag"), end = ft_js_number(one, "end"),
               done = ft_js_number(one, "committed"), slope = ft_js_number(one, "per_s"),
               part = ft_js_number(one, "partition");
        char part_text[16], slope_text[24] = "-";
        enum ft_role role = stale                  ? FT_ROLE_MUTED
                            : lag > 0 && slope > 1 ? FT_ROLE_WARN
                                                   : FT_ROLE_NORMAL;

        if (y >= b.y + b.h)
            break;
        snprintf(part_text, sizeof(part_text), isnan(part) ? "all" : "%.0f", part);
        for (int k = 0; k < 3; k++) {
            double v = k == 0 ? end : k == 1 ? done : lag;

            if (isnan(v) || v < 0)
                snprintf(n[k], sizeof(n[k]), "?");
            else
                ft_fmt_count(n[k], sizeof(n[k]), (uint64_t)v);
        }
        if (!isnan(slope))
            ft_fmt_signed(slope_text, sizeof(slope_text), llround(slope));
        ft_putf(cv, y, 1, b.w - 1, role, "%s %-*.*s %4s %12s %12s %9s %7s  %s",
                i == c->he.at ? ">" : " ", name_w, name_w, ft_js_text(one, "topic"), part_text,
                n[0], n[1], n[2], slope_text, ft_js_text(one, "owner"));
        if (i == c->he.at) {
            ft_select(cv, y, 0, b.w);
            cv->cursor_x = 0;
            cv->cursor_y = y;
        }
        y++;
        i++;
    }
    return y - b.y;
}

static const char *state_word(const struct ft_part *p, const char *name)
{
    (void)name;
    return p->state == FT_PART_UP         ? "UP"
           : p->state == FT_PART_DOWN     ? "DOWN"
           : p->state == FT_PART_EMBEDDED ? "embedded"
           : p->state == FT_PART_NONE     ? "none"
                                          : "...";
}

static int draw_parts(const struct ft_con *c, struct ft_canvas *cv, struct ft_box b)
{
    const struct ft_live *l = c->live;
    char ms[24], right[48], rate[24];

    if (b.h < 2)
        return 0;
    ft_fmt_ms(ms, sizeof(ms), l->pg.ms);
    snprintf(right, sizeof(right), l->pg.ms > 0 && l->pg.state != FT_PART_DOWN ? "%s %s" : "%s",
             state_word(&l->pg, "pg"), ms);
    ft_title(c, cv, b.y, b.x, b.w, "postgres", right);
    ft_fmt_rate(rate, sizeof(rate), l->stored_per_s);
    ft_putf(cv, b.y + 1, 1, b.w - 1, FT_ROLE_NORMAL, "%s   writes %s rows per s",
            *l->pg.where ? l->pg.where : "not configured", rate);
    if (b.h < 4)
        return 2;
    ft_title(c, cv, b.y + 2, b.x, b.w, "model", l->model_name);
    if (l->model.state == FT_PART_DOWN)
        ft_putf(cv, b.y + 3, 1, b.w - 1, FT_ROLE_DOWN, "%s: %s", l->model.where, l->model.error);
    else
        ft_putf(cv, b.y + 3, 1, b.w - 1, FT_ROLE_NORMAL, "%s   digest %s   threshold %.3f   %s",
                l->model.where, *l->model_digest ? l->model_digest : "?", l->threshold,
                *l->model.error ? l->model.error : "test rows ok");
    return 4;
}

static int draw_processes(const struct ft_con *c, struct ft_canvas *cv, struct ft_box b)
{
    const struct ft_live *l = c->live;
    char right[32], rate[24], seen[24], share[40];
    int y = b.y + 1;

    snprintf(right, sizeof(right), "%zu", l->n_process);
    ft_title(c, cv, b.y, b.x, b.w, "processes", right);
    if (l->n_process == 0 && b.h > 1) {
        ft_put(cv, y, 1, b.w - 1, FT_ROLE_MUTED, "none sends heartbeats");
        return 2;
    }
    for (size_t i = 0; i < l->n_process && y < b.y + b.h; i++, y++) {
        const struct ft_process *p = &l->process[i];
        bool gone = strcmp(p->state, "gone") == 0;

        ft_fmt_rate(rate, sizeof(rate), p->per_s);
        ft_fmt_mmss(seen, sizeof(seen), c->now_ms - p->seen_ms > 0 ? c->now_ms - p->seen_ms : 0);
        snprintf(share, sizeof(share), "  %.0f %% of its state", 100 * p->restored);
        ft_putf(cv, y, 1, b.w - 1,
                gone                               ? FT_ROLE_DOWN
                : strcmp(p->state, "running") == 0 ? FT_ROLE_NORMAL
                                                   : FT_ROLE_WARN,
                "%-7s %-14.14s %7d  %-10s %9s/s  %s%s%s%s", p->role, p->host, (int)p->pid, p->state,
                rate, p->detail, strcmp(p->state, "restoring") == 0 ? share : "",
                c->now_ms - p->seen_ms > 3000 ? "  silent " : "",
                c->now_ms - p->seen_ms > 3000 ? seen : "");
    }
    return y - b.y;
}

static void draw_errors(const struct ft_con *c, struct ft_canvas *cv, struct ft_box b)
{
    const cJSON *one;
    char key[16], right[40], when[24];
    int y = b.y + 1;

    if (b.h < 2)
        return;
    snprintf(right, sizeof(right), "%s Log has all",
             ft_keymap_name(&c->keymap, FT_ACT_LOG, key, sizeof(key)));
    ft_title(c, cv, b.y, b.x, b.w, "errors and warnings", right);
    cJSON_ArrayForEach(one, cJSON_GetObjectItemCaseSensitive(c->lg.data.json, "entries"))
    {
        const char *level = ft_js_text(one, "level");

        if (y >= b.y + b.h || (strcmp(level, "error") != 0 && strcmp(level, "warning") != 0))
            continue;
        ft_show_clock(c, ft_js_time(one, "at"), when, sizeof(when));
        ft_putf(cv, y++, 1, b.w - 1, *level == 'e' ? FT_ROLE_WARN : FT_ROLE_NORMAL, "%s  %-8s %s",
                when, ft_js_text(one, "part"), ft_js_text(one, "text"));
    }
    if (y == b.y + 1)
        ft_put(cv, y, 1, b.w - 1, FT_ROLE_MUTED, "none");
}

static struct ft_box below(struct ft_box b, int used)
{
    return (struct ft_box){b.y + used, b.x, b.h - used, b.w};
}

static void draw(struct ft_con *c, struct ft_canvas *cv, struct ft_box b)
{
    const struct ft_live *l = c->live;
    char held[120];
    int processes = (int)(l->n_process ? l->n_process : 1) + 1, used;
    struct ft_box foot;

    snprintf(held, sizeof(held), "%s",
             *l->replay.error ? l->replay.error : "what was read waits; nothing is lost");
    used = draw_trouble(c, cv, b, "kafka", &l->kafka, held, "Queue, Case, Threshold, Log");
    b = below(b, used);
    used = draw_trouble(c, cv, b, "postgres", &l->pg,
                        "the sink waits, its offsets stay; lag grows and nothing is lost",
                        "Live, Replay, Health");
    b = below(b, used);
    if (b.h < 8) {
        draw_processes(c, cv, b);
        return;
    }
    processes = processes > b.h / 2 ? b.h / 2 : processes;
    foot = (struct ft_box){b.y + b.h - processes, 0, processes, b.w};
    b.h -= processes;
    used = draw_partitions(c, cv, (struct ft_box){b.y, 0, b.h - 4 > 3 ? b.h - 4 : b.h, b.w});
    b = below(b, used);
    used = draw_parts(c, cv, b);
    b = below(b, used);
    draw_errors(c, cv, b);
    draw_processes(c, cv, foot);
}

/* ---- keys ----------------------------------------------------------------------------------------- */

static const cJSON *chosen_partition(const struct ft_con *c)
{
    return cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(c->he.parts.json, "partitions"),
                              c->he.at);
}

static void open_topic(struct ft_con *c, const char *topic)
{
    snprintf(c->he.topic, sizeof(c->he.topic), "%s", topic);
    c->he.in_messages = true;
    c->he.message_at = 0;
    c->he.find[0] = '\0';
    ft_loaded_drop(&c->he.messages);
    ft_con_push(c, FT_PLACE_TOPICS);
}

static bool act(struct ft_con *c, enum ft_act a)
{
    int most = cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(c->he.parts.json, "partitions"));

    if (a == FT_ACT_OPEN) {
        if (chosen_partition(c))
            open_topic(c, ft_js_text(chosen_partition(c), "topic"));
        else
            ft_con_push(c, FT_PLACE_TOPICS);
        return true;
    }
    if (!ft_scroll_act(a, 10, &c->he.at))
        return false;
    c->he.at = c->he.at >= most ? (most ? most - 1 : 0) : c->he.at;
    return true;
}

static bool can(const struct ft_con *c, enum ft_act a)
{
    if (a == FT_ACT_REFRESH)
        return c->live->kafka.state == FT_PART_DOWN || c->live->pg.state == FT_PART_DOWN;
    return true;
}

static const enum ft_act hints[] = {FT_ACT_REFRESH, FT_ACT_OPEN, FT_ACT_EXPORT, FT_ACT_SAVE_SCREEN,
                                    FT_N_ACTS};

const struct ft_view ft_view_health = {.letter = 'H',
                                       .title = "Health",
                                       .hints = hints,
                                       .draw = draw,
                                       .act = act,
                                       .enter = enter,
                                       .tick = on_tick,
                                       .can = can};

/* ---- topics and messages -------------------------------------------------------------------------- */

static void topics_answer(struct ft_con *c, const struct ft_answer *a, const cJSON *json)
{
    (void)json;
    ft_loaded_take(c, &c->he.topics, a);
}

static void messages_answer(struct ft_con *c, const struct ft_answer *a, const cJSON *json)
{
    (void)json;
    ft_loaded_take(c, &c->he.messages, a);
}

static void load_messages(struct ft_con *c)
{
    struct ft_buf b;

    ft_buf_init(&b, 4096);
    ft_buf_text(&b, "{\"topic\":");
    ft_buf_json(&b, ft_span_of(c->he.topic));
    ft_buf_text(&b, ",\"limit\":100");
    if (c->he.find[0] >= '0' && c->he.find[0] <= '9' && strlen(c->he.find) < 20)
        ft_buf_fmt(&b, ",\"offset\":%s", c->he.find);
    else if (c->he.find[0] == '@') {
        ft_buf_text(&b, ",\"at\":");
        ft_buf_json(&b, ft_span_of(c->he.find + 1));
    } else if (c->he.find[0]) {
        ft_buf_text(&b, ",\"find\":");
        ft_buf_json(&b, ft_span_of(c->he.find));
    }
    ft_buf_char(&b, '}');
    if (!b.failed)
        ft_con_load(c, &c->he.messages, FT_ASK_MESSAGES, messages_answer, b.p);
    ft_buf_fini(&b);
}

static void topics_enter(struct ft_con *c)
{
    if (c->he.in_messages)
        load_messages(c);
    else
        ft_con_load(c, &c->he.topics, FT_ASK_TOPICS, topics_answer, NULL);
}

void ft_find_messages(struct ft_con *c, const char *id)
{
    open_topic(c, "transactions");
    snprintf(c->he.find, sizeof(c->he.find), "%s", id);
    ft_loaded_drop(&c->he.messages);
    load_messages(c);
}

static void draw_topics(struct ft_con *c, struct ft_canvas *cv, struct ft_box b)
{
    const cJSON *one;
    char n[32], keep[32];
    int i = 0;

    ft_title(c, cv, b.y, b.x, b.w, "topics", "Enter: messages");
    b.y++, b.h--;
    if (!ft_loaded_draw(c, &c->he.topics, cv, b))
        return;
    ft_putf(cv, b.y, 3, b.w - 3, FT_ROLE_STRONG, "%-32s %10s %16s   RETENTION", "TOPIC",
            "PARTITIONS", "MESSAGES");
    cJSON_ArrayForEach(one, cJSON_GetObjectItemCaseSensitive(c->he.topics.json, "topics"))
    {
        double ms = ft_js_number(one, "retention_ms"), m = ft_js_number(one, "messages");

        if (i + 1 >= b.h)
            break;
        ft_fmt_count(n, sizeof(n), (uint64_t)fmax(0, m));
        if (isnan(ms) || ms < 0)
            snprintf(keep, sizeof(keep), "%s", ms < 0 ? "for ever" : "?");
        else
            snprintf(keep, sizeof(keep), "%.3g d", ms / 86400000);
        ft_put(cv, b.y + 1 + i, 1, 1, FT_ROLE_STRONG, i == c->he.topic_at ? ">" : " ");
        ft_putf(cv, b.y + 1 + i, 3, b.w - 3, FT_ROLE_NORMAL, "%-32.32s %10.0f %16s   %s",
                ft_js_text(one, "topic"), ft_js_number(one, "partitions"), n, keep);
        if (i == c->he.topic_at)
            ft_select(cv, b.y + 1 + i, 0, b.w);
        i++;
    }
}

/* Hides names and streets wherever they stand in a message. */
static void mask_tree(cJSON *o)
{
    static const char *const hidden[] = {"name_1", "name_2", "street"};
    cJSON *one;

    cJSON_ArrayForEach(one, o)
    {
        mask_tree(one);
        for (size_t i = 0; one->string && i < 3; i++)
            if (strcmp(one->string, hidden[i]) == 0 && cJSON_IsString(one))
                cJSON_SetValuestring(one, "");
    }
}

/* A message's value as one line; NULL: masked and not JSON, so not to be shown.  free() it. */
static char *value_line(const struct ft_con *c, const char *value)
{
    cJSON *json = c->masked ? cJSON_Parse(value) : NULL;
    char *text = c->masked ? NULL : strdup(value);

    if (json) {
        mask_tree(json);
        text = cJSON_PrintUnformatted(json);
    }
    cJSON_Delete(json);
    return text;
}

static void draw_messages(struct ft_con *c, struct ft_canvas *cv, struct ft_box b)
{
    const cJSON *rows = cJSON_GetObjectItemCaseSensitive(c->he.messages.json, "messages"), *one;
    char left[200], when[24], n[32], *value;
    int i = 0, most = cJSON_GetArraySize(rows), top = c->he.message_at - (b.h - 4);

    snprintf(left, sizeof(left), "messages of %s%s%s", c->he.topic,
             *c->he.find ? ": " : ", newest first", c->he.find);
    ft_title(c, cv, b.y, b.x, b.w, left, "/ offset, @time or id");
    b.y++, b.h--;
    if (!ft_loaded_draw(c, &c->he.messages, cv, b))
        return;
    if (most == 0)
        ft_put(cv, b.y, 1, b.w - 1, FT_ROLE_NORMAL, "No message there.");
    else
        ft_putf(cv, b.y, 3, b.w - 3, FT_ROLE_STRONG, "%4s %12s  %-19s  VALUE", "PART", "OFFSET",
                "TIME");
    top = top < 0 ? 0 : top;
    cJSON_ArrayForEach(one, rows)
    {
        int y = b.y + 1 + i - top;

        if (i >= top && i - top < b.h - 1) {
            ft_show_date(c, ft_js_time(one, "timestamp"), when, sizeof(when));
            ft_fmt_count(n, sizeof(n), (uint64_t)fmax(0, ft_js_number(one, "offset")));
            ft_put(cv, y, 1, 1, FT_ROLE_STRONG, i == c->he.message_at ? ">" : " ");
            value = value_line(c, ft_js_text(one, "value"));
            ft_putf(cv, y, 3, b.w - 3, FT_ROLE_NORMAL, "%4.0f %12s  %-19s  %.900s",
                    ft_js_number(one, "partition"), n, when,
                    value ? value : "(not JSON; m shows it)");
            free(value);
            if (i == c->he.message_at)
                ft_select(cv, y, 0, b.w);
        }
        i++;
    }
}

static void topics_draw(struct ft_con *c, struct ft_canvas *cv, struct ft_box b)
{
    if (c->he.in_messages)
        draw_messages(c, cv, b);
    else
        draw_topics(c, cv, b);
}

static void show_message(struct ft_con *c)
{
    const cJSON *one = cJSON_GetArrayItem(
        cJSON_GetObjectItemCaseSensitive(c->he.messages.json, "messages"), c->he.message_at);
    cJSON *value = cJSON_Parse(ft_js_text(one, "value"));
    char title[200], *text;

    if (!one) {
        cJSON_Delete(value);
        return;
    }
    if (c->masked && value)
        mask_tree(value);
    text = value ? cJSON_Print(value) : NULL;
    snprintf(title, sizeof(title), "%s, partition %.0f, offset %.0f", c->he.topic,
             ft_js_number(one, "partition"), ft_js_number(one, "offset"));
    for (char *p = text; p && *p; p++)
        if (*p == '\t')
            *p = ' ';
    ft_text_show(c, title,
                 text        ? text
                 : c->masked ? "Not JSON; m shows what it is."
                             : ft_js_text(one, "value"));
    free(text);
    cJSON_Delete(value);
}

static void find_typed(struct ft_con *c, const char *text)
{
    snprintf(c->he.find, sizeof(c->he.find), "%s", text);
    c->he.message_at = 0;
    ft_loaded_drop(&c->he.messages);
    load_messages(c);
}

static bool topics_act(struct ft_con *c, enum ft_act a)
{
    int *at = c->he.in_messages ? &c->he.message_at : &c->he.topic_at;
    const cJSON *rows = c->he.in_messages
                            ? cJSON_GetObjectItemCaseSensitive(c->he.messages.json, "messages")
                            : cJSON_GetObjectItemCaseSensitive(c->he.topics.json, "topics");
    int most = cJSON_GetArraySize(rows);

    switch (a) {
    case FT_ACT_OPEN:
        if (c->he.in_messages) {
            show_message(c);
        } else if (most) {
            snprintf(c->he.topic, sizeof(c->he.topic), "%s",
                     ft_js_text(cJSON_GetArrayItem(rows, *at), "topic"));
            c->he.in_messages = true;
            c->he.message_at = 0;
            ft_loaded_drop(&c->he.messages);
            load_messages(c);
        }
        return true;
    case FT_ACT_SEARCH:
        ft_prompt_text(c, "an offset, @2026-11-20T14:00:00Z, or a transaction id (empty: newest)",
                       c->he.find, find_typed);
        return true;
    case FT_ACT_CLOSE:
    case FT_ACT_BACK:
        if (!c->he.in_messages)
            return false;
        c->he.in_messages = false;
        topics_enter(c);
        return true;
    default:
        if (!ft_scroll_act(a, 15, at))
            return false;
        *at = *at >= most ? (most ? most - 1 : 0) : *at;
        return true;
    }
}

static const enum ft_act topics_hints[] = {FT_ACT_OPEN, FT_ACT_SEARCH, FT_ACT_REFRESH, FT_N_ACTS};

const struct ft_view ft_view_topics = {.letter = 'K',
                                       .title = "Topics",
                                       .hints = topics_hints,
                                       .draw = topics_draw,
                                       .act = topics_act,
                                       .enter = topics_enter};

/* ---- log ------------------------------------------------------------------------------------------ */

static void log_tick(struct ft_con *c)
{
    if (!c->frozen && c->now_ms - c->lg.data.asked_ms >= RELOAD_MS)
        ft_log_reload(c);
}

static void log_draw(struct ft_con *c, struct ft_canvas *cv, struct ft_box b)
{
    const cJSON *rows = cJSON_GetObjectItemCaseSensitive(c->lg.data.json, "entries"), *one;
    int i = 0, most = cJSON_GetArraySize(rows), top;
    char right[80], when[24];

    snprintf(right, sizeof(right), *c->lg.search ? "search: %s" : "newest first", c->lg.search);
    ft_title(c, cv, b.y, b.x, b.w, "log: what happened, who decided what", right);
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
        const char *level = ft_js_text(one, "level"), *by = ft_js_text(one, "by");

        if (i >= top && i - top < b.h) {
            ft_show_date(c, ft_js_time(one, "at"), when, sizeof(when));
            ft_put(cv, y, 0, 1, FT_ROLE_STRONG, i == c->lg.at ? ">" : " ");
            ft_putf(cv, y, 1, b.w - 1,
                    *level == 'e'                   ? FT_ROLE_FRAUD
                    : strcmp(level, "warning") == 0 ? FT_ROLE_WARN
                                                    : FT_ROLE_NORMAL,
                    "%s  %-8.8s %s",
                    b.w >= 100         ? when
                    : strlen(when) > 5 ? when + 5
                                       : when,
                    *by ? by : ft_js_text(one, "part"), ft_js_text(one, "text"));
            if (i == c->lg.at) {
                ft_select(cv, y, 0, b.w);
                cv->cursor_x = 0;
                cv->cursor_y = y;
            }
        }
        i++;
    }
}

static void log_find(struct ft_con *c, int dir)
{
    const cJSON *rows = cJSON_GetObjectItemCaseSensitive(c->lg.data.json, "entries");
    int n = cJSON_GetArraySize(rows);

    for (int step = 1; step <= n; step++) {
        int i = (c->lg.at + (dir > 0 ? step : n - step % n)) % n;
        const cJSON *one = cJSON_GetArrayItem(rows, i);

        if (strstr(ft_js_text(one, "text"), c->lg.search) ||
            strstr(ft_js_text(one, "by"), c->lg.search) ||
            strstr(ft_js_text(one, "part"), c->lg.search)) {
            c->lg.at = i;
            return;
        }
    }
    ft_say(c, "\"%s\" is not in the log shown.", c->lg.search);
}

static void log_search(struct ft_con *c, const char *text)
{
    snprintf(c->lg.search, sizeof(c->lg.search), "%s", text);
    if (*text)
        log_find(c, 1);
}

static bool log_act(struct ft_con *c, enum ft_act a)
{
    const cJSON *one =
        cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(c->lg.data.json, "entries"), c->lg.at);
    struct ft_uuid id;

    switch (a) {
    case FT_ACT_OPEN:
        if (ft_uuid_parse(&id, ft_span_of(ft_js_text(one, "transaction_id"))))
            ft_case_open(c, &id, NULL);
        else
            ft_say(c, "This line is about no transaction.");
        return true;
    case FT_ACT_SEARCH:
        ft_prompt_text(c, "search", c->lg.search, log_search);
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

const struct ft_view ft_view_log = {.letter = 'G',
                                    .title = "Log",
                                    .hints = log_hints,
                                    .draw = log_draw,
                                    .act = log_act,
                                    .enter = ft_log_reload,
                                    .tick = log_tick};
