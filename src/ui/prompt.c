/* Prompts on the last line: one key of some, or a line of text; and the palette, which is a prompt with names. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console.h"
#include "fraudtop/text.h"

static void begin(struct ft_con *c, const char *label, void (*done)(struct ft_con *, const char *))
{
    char above[sizeof(c->prompt.above)];

    memcpy(above, c->prompt.above, sizeof(above)); /* stays over the steps of one decision */
    memset(&c->prompt, 0, sizeof(c->prompt));
    memcpy(c->prompt.above, above, sizeof(above));
    c->prompt.active = true;
    c->prompt.done = done;
    snprintf(c->prompt.label, sizeof(c->prompt.label), "%s", label);
}

void ft_prompt_text(struct ft_con *c, const char *label, const char *text,
                    void (*done)(struct ft_con *, const char *))
{
    begin(c, label, done);
    snprintf(c->prompt.text, sizeof(c->prompt.text), "%s", text ? text : "");
    c->prompt.limit = FT_PROMPT_BYTES;
    c->prompt.n = c->prompt.cur = strlen(c->prompt.text);
}

void ft_prompt_key(struct ft_con *c, const char *label, const char *keys,
                   void (*done)(struct ft_con *, const char *))
{
    begin(c, label, done);
    c->prompt.one_key = true;
    snprintf(c->prompt.keys, sizeof(c->prompt.keys), "%s", keys);
}

/* Ends the prompt, then calls back: the callback may open the next one. */
static void finish(struct ft_con *c, bool ok)
{
    struct ft_prompt p = c->prompt;

    c->prompt.active = false;
    if (ok && p.done)
        p.done(c, p.text);
    else if (!ok && p.cancelled)
        p.cancelled(c);
    if (!c->prompt.active)
        c->prompt.above[0] = '\0';
}

/* ---- editing -------------------------------------------------------------------------------------- */

static size_t previous(const struct ft_prompt *p)
{
    size_t i = p->cur;

    while (i > 0 && (p->text[--i] & 0xC0) == 0x80)
        ;
    return i;
}

static size_t following(const struct ft_prompt *p)
{
    size_t i = p->cur;

    while (i < p->n && (p->text[++i] & 0xC0) == 0x80)
        ;
    return i;
}

static void cut(struct ft_prompt *p, size_t from, size_t to)
{
    memmove(p->text + from, p->text + to, p->n - to + 1);
    p->n -= to - from;
    p->cur = from;
}

static void insert(struct ft_prompt *p, uint32_t code)
{
    char utf8[4];
    size_t n;

    if (code >= FT_KEY_UP || ft_char_width(code) < 0)
        return;
    n = ft_char_put(utf8, code);
    if (p->n + n >= p->limit)
        return;
    memmove(p->text + p->cur + n, p->text + p->cur, p->n - p->cur + 1);
    memcpy(p->text + p->cur, utf8, n);
    p->n += n;
    p->cur += n;
}

static void word_back(struct ft_prompt *p)
{
    size_t i = p->cur;

    while (i > 0 && p->text[i - 1] == ' ')
        i--;
    while (i > 0 && p->text[i - 1] != ' ')
        i--;
    cut(p, i, p->cur);
}

static bool edit(struct ft_prompt *p, uint32_t code)
{
    switch (code) {
    case FT_KEY_BACKSPACE:
    case 8:
        cut(p, previous(p), p->cur);
        return true;
    case FT_KEY_DELETE:
        if (p->cur < p->n)
            cut(p, p->cur, following(p));
        return true;
    case FT_KEY_LEFT:
        p->cur = previous(p);
        return true;
    case FT_KEY_RIGHT:
        p->cur = following(p);
        return true;
    case FT_KEY_HOME:
    case 1: /* Ctrl-A */
        p->cur = 0;
        return true;
    case FT_KEY_END:
    case 5: /* Ctrl-E */
        p->cur = p->n;
        return true;
    case 21: /* Ctrl-U */
        cut(p, 0, p->cur);
        return true;
    case 11: /* Ctrl-K */
        p->text[p->n = p->cur] = '\0';
        return true;
    case 23: /* Ctrl-W */
        word_back(p);
        return true;
    default:
        insert(p, code);
        return true;
    }
}

/* ---- the palette ---------------------------------------------------------------------------------- */

/* Names that people bring from elsewhere. */
static const struct {
    const char *typed;
    enum ft_act act;
} also[] = {
    {"q",     FT_ACT_QUIT     },
    {"kafka", FT_ACT_ADDRESSES},
    {"pg",    FT_ACT_ADDRESSES},
    {"set",   FT_ACT_OPTIONS  },
};

/* How well the first word typed fits a name: 0 the name itself, 1 its beginning, 2 the beginning of a part of it, 3
 * somewhere in it; 9: not at all. */
static int fit(enum ft_act a, const char *typed, size_t n)
{
    const char *name = ft_actions[a].name, *dot = strchr(name, '.');
    char word[64];

    if (n >= sizeof(word))
        return 9;
    memcpy(word, typed, n);
    word[n] = '\0';
    for (size_t i = 0; i < sizeof(also) / sizeof(*also); i++)
        if (also[i].act == a && strcmp(also[i].typed, word) == 0)
            return 0;
    if (strncmp(name, word, n) == 0)
        return name[n] ? 1 : 0;
    if (typed[n] == ' ') /* the word is complete */
        return dot && strcmp(dot + 1, word) == 0 ? 2 : 9;
    if (dot && strncmp(dot + 1, word, n) == 0)
        return 2;
    return strstr(name, word) ? 3 : 9;
}

/* The i-th action that fits what was typed, best first; FT_N_ACTS: no more. */
static enum ft_act candidate(const struct ft_prompt *p, size_t i)
{
    size_t n = strcspn(p->text, " ");

    for (int rank = 0; rank <= 3; rank++)
        for (enum ft_act a = 0; a < FT_N_ACTS; a++)
            if (fit(a, p->text, n) == rank && i-- == 0)
                return a;
    return FT_N_ACTS;
}

static void remember(struct ft_con *c, const char *text)
{
    size_t most = sizeof(c->history) / sizeof(*c->history), at = 0;

    while (at < c->n_history && strcmp(c->history[at], text) != 0)
        at++;
    if (at == c->n_history && c->n_history < most)
        c->n_history++;
    if (at >= most)
        at = most - 1;
    memmove(c->history[1], c->history[0], at * sizeof(c->history[0]));
    snprintf(c->history[0], sizeof(c->history[0]), "%s", text);
}

static void scene_answer(struct ft_con *c, const struct ft_answer *a, const struct cJSON *json)
{
    (void)json;
    if (!a->ok)
        ft_say_error(c, "%s", a->error);
    else
        ft_say(c, "Another scene.");
}

static void handover_answer(struct ft_con *c, const struct ft_answer *a, const struct cJSON *json)
{
    if (!a->ok)
        ft_say_error(c, "%s", a->error);
    else
        ft_text_show(c, "handover", ft_js_text(json, "text"));
}

static void ask_with(struct ft_con *c, enum ft_ask_kind kind, const char *member, const char *value,
                     void (*answered)(struct ft_con *, const struct ft_answer *,
                                      const struct cJSON *))
{
    struct ft_buf b;

    ft_buf_init(&b, 4096);
    ft_buf_fmt(&b, "{\"%s\":", member);
    ft_buf_json(&b, ft_span_of(value));
    ft_buf_text(&b, "}");
    if (b.failed || !ft_con_ask(c, kind, answered, b.p))
        ft_say_error(c, "This is not available here.");
    ft_buf_fini(&b);
}

static void id_found(struct ft_con *c, const struct ft_answer *a, const struct cJSON *json)
{
    struct ft_uuid id;

    if (!a->ok)
        ft_say_error(c, "%s", a->error);
    else if (ft_uuid_parse(&id, ft_span_of(ft_js_text(json, "transaction_id"))))
        ft_case_open(c, &id, NULL);
}

/* A whole id, or the beginning of one. */
static void open_id(struct ft_con *c, const char *id)
{
    struct ft_uuid u;

    if (ft_uuid_parse(&u, ft_span_of(id)))
        ft_case_open(c, &u, NULL);
    else
        ask_with(c, FT_ASK_CASE, "transaction_id", id, id_found);
}

static void set_theme(struct ft_con *c, const char *name)
{
    const struct ft_theme *t = ft_con_theme(c, name);

    if (strcmp(t->name, name) != 0) {
        ft_say_error(
            c, "No theme is called \"%s\": default, light, mono, high-contrast, colour-blind%s.",
            name, c->own.name ? ", own" : "");
        return;
    }
    c->theme = t;
    c->redraw = true;
    ft_state_save(c);
}

static void filter_customer(struct ft_con *c, const char *name)
{
    if (c->masked) {
        ft_say_error(c, "Names are masked; m shows them, then they can be searched.");
        return;
    }
    if (strchr(name, '"')) {
        ft_say_error(c, "A name with a quotation mark cannot be searched.");
        return;
    }
    snprintf(c->queue.filter_text, sizeof(c->queue.filter_text), "customer~\"%s\"", name);
    ft_con_go(c, FT_PLACE_QUEUE);
    ft_list_rebuild(&c->queue, c->wall_ms); /* until the answer comes: of the rows that are there */
    ft_list_first(&c->queue);
}

/* "0.65" or "simulate 0.65" */
static void simulate(struct ft_con *c, const char *arg)
{
    char *end;
    double x;

    if (strncmp(arg, "simulate ", 9) == 0)
        arg += 9;
    x = strtod(arg, &end);
    if (*end || !*arg || !(x >= 0 && x <= 1))
        ft_say_error(c, "\"%s\" is no threshold between 0 and 1.", arg);
    else
        ft_thr_simulate(c, x);
}

static bool wants_more(enum ft_act act)
{
    return !*ft_actions[act].keys && act != FT_ACT_SLOW && act != FT_ACT_TOPICS &&
           act != FT_ACT_HANDOVER && act != FT_ACT_ADDRESSES;
}

static void run_named(struct ft_con *c, enum ft_act act, const char *arg)
{
    if (!*arg && wants_more(act)) {
        ft_say_error(c, "%s wants %s behind it.", ft_actions[act].name, ft_actions[act].hint);
        return;
    }
    switch (act) {
    case FT_ACT_TX:
        open_id(c, arg);
        break;
    case FT_ACT_CUSTOMER:
        filter_customer(c, arg);
        break;
    case FT_ACT_THRESHOLD:
        if (*arg)
            simulate(c, arg);
        else
            ft_con_act(c, act);
        break;
    case FT_ACT_SIMULATE:
        simulate(c, arg);
        break;
    case FT_ACT_EXPORT:
        if (*arg)
            ft_export_rows(c, arg);
        else
            ft_con_act(c, act);
        break;
    case FT_ACT_ADDRESSES:
        ft_addresses_show(c);
        break;
    case FT_ACT_SLOW:
        c->slow = !c->slow;
        ft_say(c, c->slow ? "A frame in 5 s, no chart; :slow again ends it."
                          : "Normal drawing again.");
        break;
    case FT_ACT_THEME:
        set_theme(c, arg);
        break;
    case FT_ACT_SCENE:
        ask_with(c, FT_ASK_SCENE, "name", arg, scene_answer);
        break;
    case FT_ACT_HANDOVER:
        ask_with(c, FT_ASK_HANDOVER, "since", *arg ? arg : "8h", handover_answer);
        break;
    case FT_ACT_TOPICS:
        c->he.in_messages = false;
        ft_con_go(c, FT_PLACE_HEALTH);
        ft_con_push(c, FT_PLACE_TOPICS);
        break;
    case FT_ACT_FIND:
        ft_con_go(c, FT_PLACE_HEALTH);
        ft_topic_open(c, "", arg);
        break;
    case FT_ACT_MASK:
        if (strcmp(arg, "on") != 0 || !c->masked)
            if (strcmp(arg, "off") != 0 || c->masked)
                ft_con_act(c, act);
        break;
    default:
        ft_con_act(c, act);
    }
}

static void palette_done(struct ft_con *c, const char *text)
{
    size_t n = strcspn(text, " ");
    struct ft_prompt typed = c->prompt;
    enum ft_act act;

    if (!*text)
        return;
    act = candidate(&typed, typed.choice);
    if (act == FT_N_ACTS) {
        ft_say_error(c, "No action is called \"%.*s\". : and Tab show the names.", (int)n, text);
        return;
    }
    remember(c, text);
    run_named(c, act, text + n + strspn(text + n, " "));
}

void ft_palette_open(struct ft_con *c)
{
    ft_prompt_text(c, ":", "", palette_done);
    c->prompt.palette = true;
}

static void complete(struct ft_prompt *p)
{
    enum ft_act act = candidate(p, p->choice);
    char rest[sizeof(p->text)];
    size_t n = strcspn(p->text, " ");

    if (act == FT_N_ACTS)
        return;
    snprintf(rest, sizeof(rest), "%s", p->text + n);
    snprintf(p->text, sizeof(p->text), "%s%s", ft_actions[act].name, *rest ? rest : " ");
    p->n = p->cur = strlen(p->text);
    p->choice = 0;
}

static bool palette_key(struct ft_con *c, uint32_t code)
{
    struct ft_prompt *p = &c->prompt;

    switch (code) {
    case FT_KEY_TAB:
        complete(p);
        return true;
    case FT_KEY_DOWN:
        if (candidate(p, p->choice + 1) < FT_N_ACTS)
            p->choice++;
        return true;
    case FT_KEY_UP:
        if (p->choice > 0)
            p->choice--;
        else if (c->n_history) { /* above the first name lies the history */
            snprintf(p->text, sizeof(p->text), "%s", c->history[p->back % c->n_history]);
            p->back++;
            p->n = p->cur = strlen(p->text);
        }
        return true;
    default:
        p->choice = 0;
        return false;
    }
}

/* ---- keys and drawing ----------------------------------------------------------------------------- */

void ft_prompt_input(struct ft_con *c, uint32_t code)
{
    struct ft_prompt *p = &c->prompt;

    if (code == FT_KEY_ESC || code == 3) {
        finish(c, false);
        return;
    }
    if (p->one_key) {
        if (code < 0x80 && code > ' ' && strchr(p->keys, (int)code)) {
            p->text[0] = (char)code;
            p->text[1] = '\0';
            finish(c, true);
        }
        return;
    }
    if (code == FT_KEY_ENTER || code == '\n') {
        if (p->required && !p->text[strspn(p->text, " ")])
            return;
        finish(c, true);
        return;
    }
    if (code == FT_KEY_BACKSPACE && p->n == 0) {
        finish(c, false);
        return;
    }
    if (p->palette && palette_key(c, code))
        return;
    if (edit(p, code) && p->changed)
        p->changed(c, p->text);
}

void ft_palette_draw(const struct ft_con *c, struct ft_canvas *cv)
{
    const struct ft_prompt *p = &c->prompt;
    int most = cv->rows - 4 < 12 ? cv->rows - 4 : 12, n = 0;
    size_t first = p->choice >= (size_t)most ? p->choice - (size_t)most + 1 : 0;

    while (n < most && candidate(p, first + (size_t)n) < FT_N_ACTS)
        n++;
    for (int i = 0; i < n; i++) {
        enum ft_act a = candidate(p, first + (size_t)i);
        int y = cv->rows - 1 - n + i;
        char key[16];

        ft_blank(cv, y, 0, cv->cols);
        ft_put(cv, y, 1, 16, FT_ROLE_STRONG, ft_actions[a].name);
        ft_put(cv, y, 18, 9, FT_ROLE_TITLE, ft_keymap_name(&c->keymap, a, key, sizeof(key)));
        ft_put(cv, y, 28, cv->cols - 28, FT_ROLE_NORMAL, ft_actions[a].help);
        if (first + (size_t)i == p->choice)
            ft_select(cv, y, 0, cv->cols);
    }
    if (n < cv->rows - 3)
        ft_rule(cv, cv->rows - 2 - n, 0, cv->cols, "command", "Tab completes  Up history");
}

/* The label of a prompt for one key, on as many of the last rows as it needs; returns the first of them. */
static int draw_choices(const struct ft_prompt *p, struct ft_canvas *cv)
{
    int w = cv->cols - 2, y,
        rows =
            ft_put_lines(cv, cv->rows, 1, w, 4, FT_ROLE_STRONG, p->label); /* draws nothing there */

    rows = rows > cv->rows ? cv->rows : rows;
    for (y = cv->rows - rows; y < cv->rows; y++)
        ft_blank(cv, y, 0, cv->cols);
    y = cv->rows - rows;
    ft_put_lines(cv, y, 1, w, rows, FT_ROLE_STRONG, p->label);
    cv->cursor_y = y;
    cv->cursor_x = 0;
    return y;
}

static void draw_above(const struct ft_prompt *p, struct ft_canvas *cv, int y)
{
    if (!p->above[0] || y < 1)
        return;
    ft_blank(cv, y - 1, 0, cv->cols);
    ft_put(cv, y - 1, 1, cv->cols - 1, FT_ROLE_NORMAL, p->above);
}

/* The text being typed, scrolled so that its cursor is seen. */
static void draw_input(const struct ft_prompt *p, struct ft_canvas *cv, int y, int x)
{
    int room = cv->cols - x - 1;
    size_t from = 0;

    while (from < p->cur && ft_text_width((struct ft_span){p->text + from, p->cur - from}) > room)
        do
            from++;
        while ((p->text[from] & 0xC0) == 0x80);
    ft_put(cv, y, x, cv->cols - x, FT_ROLE_NORMAL, p->text + from);
    cv->cursor_y = y;
    cv->cursor_x = x + ft_text_width((struct ft_span){p->text + from, p->cur - from});
}

void ft_prompt_draw(const struct ft_con *c, struct ft_canvas *cv)
{
    const struct ft_prompt *p = &c->prompt;
    int y = cv->rows - 1, x;

    if (p->one_key) {
        draw_above(p, cv, draw_choices(p, cv));
        return;
    }
    ft_blank(cv, y, 0, cv->cols);
    if (p->palette) {
        ft_palette_draw(c, cv);
        draw_input(p, cv, y, ft_put(cv, y, 0, 2, FT_ROLE_STRONG, p->label));
        return;
    }
    if (y > 0 && ft_text_width(ft_span_of(p->label)) > cv->cols * 3 / 5) { /* a row of its own */
        ft_blank(cv, y - 1, 0, cv->cols);
        ft_put(cv, y - 1, 1, cv->cols - 1, FT_ROLE_STRONG, p->label);
        draw_above(p, cv, y - 1);
        x = 1;
    } else {
        draw_above(p, cv, y);
        x = 2 + ft_put(cv, y, 1, cv->cols - 2, FT_ROLE_STRONG, p->label);
    }
    draw_input(p, cv, y, x + ft_put(cv, y, x, 2, FT_ROLE_STRONG, "> "));
}
