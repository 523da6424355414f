/* Topics and their messages. */
#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console.h"
#include "fraudtop/text.h"

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
    ft_buf_text(&b, "{\"limit\":100,\"topic\":");
    ft_buf_json(&b, ft_span_of(c->he.topic));
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

void ft_topic_open(struct ft_con *c, const char *topic, const char *find)
{
    snprintf(c->he.topic, sizeof(c->he.topic), "%s", topic);
    snprintf(c->he.find, sizeof(c->he.find), "%s", find);
    c->he.in_messages = true;
    c->he.message_at = 0;
    ft_loaded_drop(&c->he.messages);
    if (ft_con_top(c) == FT_PLACE_TOPICS)
        load_messages(c);
    else
        ft_con_push(c, FT_PLACE_TOPICS); /* reads them */
}

static void draw_topics(struct ft_con *c, struct ft_canvas *cv, struct ft_box b)
{
    const cJSON *one;
    char n[32], lag[32], partitions[16], age[40];
    int i = 0, top = c->he.topic_at - (b.h - 3);

    ft_title(c, cv, b.y, b.x, b.w, "topics",
             ft_loaded_age(c, &c->he.topics, age, sizeof(age), "Enter: messages"));
    b.y++, b.h--;
    if (!ft_loaded_draw(c, &c->he.topics, cv, b))
        return;
    ft_putf(cv, b.y, 3, b.w - 3, FT_ROLE_STRONG, "%-30s %4s %14s  %-16s %8s", "TOPIC", "PART",
            "MESSAGES", "GROUP", "LAG");
    top = top < 0 ? 0 : top;
    cJSON_ArrayForEach(one, cJSON_GetObjectItemCaseSensitive(c->he.topics.json, "topics"))
    {
        double m = ft_js_number(one, "messages"), behind = ft_js_number(one, "lag");
        int y = b.y + 1 + i - top;

        if (i >= top && i - top < b.h - 1) {
            snprintf(n, sizeof(n), "?");
            if (m >= 0)
                ft_fmt_count(n, sizeof(n), (uint64_t)m);
            lag[0] = '\0';
            if (behind >= 0)
                ft_fmt_count(lag, sizeof(lag), (uint64_t)behind);
            snprintf(partitions, sizeof(partitions), "%.0f", ft_js_number(one, "partitions"));
            ft_put(cv, y, 1, 1, FT_ROLE_STRONG, i == c->he.topic_at ? ">" : " ");
            ft_putf(cv, y, 3, b.w - 3, FT_ROLE_NORMAL, "%-30.30s %4s %14s  %-16.16s %8s",
                    ft_js_text(one, "topic"), partitions, n, ft_js_text(one, "group"), lag);
            if (i == c->he.topic_at) {
                ft_select(cv, y, 0, b.w);
                cv->cursor_x = 0;
                cv->cursor_y = y;
            }
        }
        i++;
    }
}

static bool is_hidden(const cJSON *o)
{
    static const char *const hidden[] = {"name_1", "name_2", "street"};

    for (size_t i = 0; o->string && i < sizeof(hidden) / sizeof(*hidden); i++)
        if (strcmp(o->string, hidden[i]) == 0)
            return !cJSON_IsNull(o);
    return false;
}

/* In place, as a member may come twice; without memory it is left out. */
static void hide(cJSON *o, cJSON *member)
{
    size_t n = strlen(member->string) + 1;
    cJSON *stars = cJSON_CreateString("***");

    if (stars && (stars->string = cJSON_malloc(n))) {
        memcpy(stars->string, member->string, n);
        cJSON_ReplaceItemViaPointer(o, member, stars);
        return;
    }
    cJSON_Delete(stars);
    cJSON_Delete(cJSON_DetachItemViaPointer(o, member));
}

/* Hides names and streets wherever they stand in a message, whatever they are. */
static void mask_tree(cJSON *o)
{
    for (cJSON *one = o ? o->child : NULL, *next; one; one = next) {
        next = one->next;
        if (is_hidden(one))
            hide(o, one);
        else
            mask_tree(one);
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
    char left[200], when[24], n[32], age[40], *value;
    int i = 0, most = cJSON_GetArraySize(rows), top = c->he.message_at - (b.h - 4);
    struct ft_uuid id;

    if (*c->he.topic && *c->he.find && !ft_uuid_parse(&id, ft_span_of(c->he.find)))
        snprintf(left, sizeof(left), "messages of %s from %s on", c->he.topic, c->he.find);
    else if (*c->he.topic)
        snprintf(left, sizeof(left), "messages of %s%s%s", c->he.topic,
                 *c->he.find ? ": " : ", newest first", c->he.find);
    else
        snprintf(left, sizeof(left), "messages with %s", c->he.find);
    ft_title(c, cv, b.y, b.x, b.w, left,
             ft_loaded_age(c, &c->he.messages, age, sizeof(age), "/ offset, @time or id"));
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
            ft_putf(cv, y, 3, b.w - 3, FT_ROLE_NORMAL, "%4.0f %12s  %-19s  %s%s%.900s",
                    ft_js_number(one, "partition"), n, when,
                    *c->he.topic ? "" : ft_js_text(one, "topic"), *c->he.topic ? "" : "  ",
                    value ? value : "(not JSON; m shows it)");
            free(value);
            if (i == c->he.message_at) {
                ft_select(cv, y, 0, b.w);
                cv->cursor_x = 0;
                cv->cursor_y = y;
            }
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

/* The headers, a line each, above the value. */
static void show_text(struct ft_con *c, const char *title, const cJSON *message, const char *value)
{
    const cJSON *h;
    struct ft_buf b;

    ft_buf_init(&b, 1 << 20);
    cJSON_ArrayForEach(h, cJSON_GetObjectItemCaseSensitive(message, "headers"))
        ft_buf_fmt(&b, "%s: %s\n", h->string, cJSON_IsString(h) ? h->valuestring : "");
    ft_buf_text(&b, b.n ? "\n" : "");
    ft_buf_text(&b, value);
    ft_text_show(c, title, b.failed ? value : b.p);
    ft_buf_fini(&b);
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
    snprintf(title, sizeof(title), "%s, partition %.0f, offset %.0f",
             *c->he.topic ? c->he.topic : ft_js_text(one, "topic"), ft_js_number(one, "partition"),
             ft_js_number(one, "offset"));
    for (char *p = text; p && *p; p++)
        if (*p == '\t')
            *p = ' ';
    show_text(c, title, one,
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
            ft_topic_open(c, ft_js_text(cJSON_GetArrayItem(rows, *at), "topic"), "");
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
