/* Health: which part is at fault? */
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
        ft_putf(cv, y, 1, b.w - 1, role, "%s %-*s %4s %12s %12s %9s %7s  %s",
                i == c->he.at ? ">" : " ", name_w, "", part_text, n[0], n[1], n[2], slope_text,
                ft_js_text(one, "owner"));
        ft_put(cv, y, 3, name_w, role, ft_js_text(one, "topic"));
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
    char ms[24], right[48], rate[24], thr[FT_THRESHOLD_TEXT];

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
    else if (!*l->model_digest)
        ft_putf(cv, b.y + 3, 1, b.w - 1, FT_ROLE_NORMAL,
                "threshold %s   as the scorers say; this console has %s",
                ft_show_threshold(l->threshold, thr), *l->model.where ? l->model.where : "none");
    else
        ft_putf(cv, b.y + 3, 1, b.w - 1, FT_ROLE_NORMAL, "%s   digest %s   threshold %s   %s",
                l->model.where, l->model_digest, ft_show_threshold(l->threshold, thr),
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
        ft_putf(cv, y++, 1, b.w - 1, *level == 'e' ? FT_ROLE_WARN : FT_ROLE_NORMAL, "%s %c %-8s %s",
                when, *level == 'e' ? 'E' : 'W', ft_js_text(one, "part"), ft_js_text(one, "text"));
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
    bool both = l->kafka.state == FT_PART_DOWN && l->pg.state == FT_PART_DOWN;

    snprintf(held, sizeof(held), "%s",
             *l->replay.error ? l->replay.error : "what was read waits; nothing is lost");
    used = draw_trouble(c, cv, b, "kafka", &l->kafka, held,
                        both ? "Help, Options, Health" : "Queue, Case, Threshold, Log");
    b = below(b, used);
    used = draw_trouble(c, cv, b, "postgres", &l->pg,
                        "the sink waits, its offsets stay; lag grows and nothing is lost",
                        both ? "Help, Options, Health" : "Live, Replay, Health");
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

static bool act(struct ft_con *c, enum ft_act a)
{
    int most = cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(c->he.parts.json, "partitions"));

    if (a == FT_ACT_OPEN) {
        if (chosen_partition(c))
            ft_topic_open(c, ft_js_text(chosen_partition(c), "topic"), "");
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

const struct ft_view ft_view_health = {
    .letter = 'H',
    .title = "Health",
    .tip =
        "Tip: {refresh} tries a service that is down at once; {open} shows the messages of a topic",
    .hints = hints,
    .draw = draw,
    .act = act,
    .enter = enter,
    .tick = on_tick,
    .can = can};
