/* Help, drawn from the table of actions; and a text to read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console.h"
#include "fraudtop/text.h"

#define KEYS_W 10

struct lines {
    struct {
        char keys[32];
        const char *help;
        enum ft_role role;
    } line[FT_N_ACTS + 24];
    int n;
};

static void add(struct lines *l, enum ft_role role, const char *keys, const char *help)
{
    if ((size_t)l->n == sizeof(l->line) / sizeof(*l->line))
        return;
    snprintf(l->line[l->n].keys, sizeof(l->line[0].keys), "%s", keys);
    l->line[l->n].help = help;
    l->line[l->n++].role = role;
}

static void keys_of(const struct ft_con *c, enum ft_act act, char *out, size_t size)
{
    size_t used = 0;
    char name[16];

    out[0] = '\0';
    for (int i = 0; i < FT_KEYS_MAX && c->keymap.key[act][i]; i++) {
        const char *key = ft_key_name(c->keymap.key[act][i], name, sizeof(name));

        used += (size_t)snprintf(out + used, size - used, "%s%s", i ? " " : "", key);
        if (used >= size)
            break;
    }
}

static void add_actions(const struct ft_con *c, struct lines *l, char letter, bool everywhere)
{
    char keys[48];

    for (enum ft_act a = 0; a < FT_N_ACTS; a++) {
        bool star = ft_actions[a].where[0] == '*';

        if (star != everywhere || (!star && !strchr(ft_actions[a].where, letter)))
            continue;
        keys_of(c, a, keys, sizeof(keys));
        if (!*keys)
            snprintf(keys, sizeof(keys), ":%s", ft_actions[a].name);
        add(l, FT_ROLE_NORMAL, keys, ft_actions[a].help);
    }
}

static void add_signs(struct lines *l)
{
    add(l, FT_ROLE_TITLE, "signs", "");
    add(l, FT_ROLE_NORMAL, "*", "marked");
    add(l, FT_ROLE_NORMAL, "!", "waiting over the time limit");
    add(l, FT_ROLE_NORMAL, "F", "decided: fraud");
    add(l, FT_ROLE_NORMAL, "~", "cut, or estimated");
    add(l, FT_ROLE_NORMAL, "? -", "not known");
}

/* Where the whole text does not fit, its first part does. */
static void put_help(struct ft_canvas *cv, int y, int x, int w, const char *help)
{
    int n = (int)strcspn(help, ":;,(");

    if (ft_text_width(ft_span_of(help)) <= w || !help[n])
        ft_put(cv, y, x, w, FT_ROLE_NORMAL, help);
    else
        ft_putf(cv, y, x, w, FT_ROLE_NORMAL, "%.*s", n, help);
}

static void draw_column(struct ft_canvas *cv, struct ft_box b, const struct lines *l, int scroll)
{
    for (int i = 0; i < b.h && i + scroll < l->n; i++) {
        int k = i + scroll, w = ft_text_width(ft_span_of(l->line[k].keys));

        if (l->line[k].role == FT_ROLE_TITLE) {
            ft_put(cv, b.y + i, b.x, b.w, FT_ROLE_TITLE, l->line[k].keys);
            continue;
        }
        w = w > KEYS_W - 1 ? w : KEYS_W - 1;
        ft_put(cv, b.y + i, b.x + 1, w, FT_ROLE_STRONG, l->line[k].keys);
        put_help(cv, b.y + i, b.x + 2 + w, b.w - 2 - w, l->line[k].help);
    }
}

static void keep_matches(struct lines *l, const char *search)
{
    int n = 0;

    for (int i = 0; i < l->n; i++)
        if (ft_text_holds(l->line[i].keys, search) || ft_text_holds(l->line[i].help, search))
            l->line[n++] = l->line[i];
    l->n = n;
}

static enum ft_place helped(const struct ft_con *c)
{
    return c->n_place > 1 ? c->place[c->n_place - 2] : FT_PLACE_LIVE;
}

static void help_draw(struct ft_con *c, struct ft_canvas *cv, struct ft_box b)
{
    const struct ft_view *of = ft_views[helped(c)];
    struct lines here = {.n = 0}, all = {.n = 0};
    bool two = b.w >= 76 && !c->hp.search[0];
    char left[80], title[64];
    int most;

    snprintf(title, sizeof(title), "on this screen: %s", of->title);
    add(&here, FT_ROLE_TITLE, of->letter ? "on this screen" : "", "");
    if (of->letter)
        add_actions(c, &here, of->letter, false);
    add_signs(two ? &here : &all);
    add(&all, FT_ROLE_TITLE, "everywhere", "");
    add_actions(c, &all, 0, true);
    snprintf(left, sizeof(left), "HELP: %s", of->title);
    ft_rule(cv, b.y, b.x, b.w, left,
            c->hp.search[0] ? c->hp.search : "/ search  j k scroll  Esc back");
    b.y++, b.h--;
    if (!two) {
        for (int i = 0; i < all.n; i++)
            add(&here, all.line[i].role, all.line[i].keys, all.line[i].help);
        if (c->hp.search[0])
            keep_matches(&here, c->hp.search);
        if (here.n == 0)
            ft_putf(cv, b.y, 1, b.w - 1, FT_ROLE_NORMAL,
                    "No key's help holds \"%s\". Esc shows all.", c->hp.search);
    }
    most = (here.n > all.n || !two ? here.n : all.n) - b.h;
    c->hp.scroll = c->hp.scroll > most ? most : c->hp.scroll;
    c->hp.scroll = c->hp.scroll < 0 ? 0 : c->hp.scroll;
    if (two) {
        int half = b.w / 2;

        draw_column(cv, (struct ft_box){b.y, 0, b.h, half - 1}, &here,
                    here.n > b.h ? c->hp.scroll : 0);
        draw_column(cv, (struct ft_box){b.y, half, b.h, b.w - half}, &all, c->hp.scroll);
    } else {
        draw_column(cv, (struct ft_box){b.y, 0, b.h, b.w}, &here, c->hp.scroll);
    }
    if (most > 0 && c->hp.scroll < most && b.w >= 60) {
        ft_blank(cv, b.y + b.h - 1, b.w - 9, 9);
        ft_put_right(cv, b.y + b.h - 1, b.w - 8, 8, FT_ROLE_MUTED, "more: j");
    }
}

static void help_search(struct ft_con *c, const char *text)
{
    snprintf(c->hp.search, sizeof(c->hp.search), "%s", text);
    c->hp.scroll = 0;
}

int ft_find_around(const struct ft_con *c, int n, int at, int dir,
                   bool (*holds)(const struct ft_con *c, int i))
{
    for (int step = 1; step <= n; step++) {
        int i = (at + (dir > 0 ? step : n - step % n)) % n;

        if (holds(c, i))
            return i;
    }
    return -1;
}

/* Moves a scroll position; true when act is such a move. */
bool ft_scroll_act(enum ft_act act, int page, int *scroll)
{
    switch (act) {
    case FT_ACT_DOWN:
        *scroll += 1;
        return true;
    case FT_ACT_UP:
        *scroll -= *scroll > 0;
        return true;
    case FT_ACT_PAGE_DOWN:
        *scroll += page;
        return true;
    case FT_ACT_HALF_DOWN:
        *scroll += page / 2;
        return true;
    case FT_ACT_PAGE_UP:
        *scroll = *scroll > page ? *scroll - page : 0;
        return true;
    case FT_ACT_HALF_UP:
        *scroll = *scroll > page / 2 ? *scroll - page / 2 : 0;
        return true;
    case FT_ACT_FIRST:
        *scroll = 0;
        return true;
    case FT_ACT_LAST:
        *scroll = 1 << 20;
        return true;
    default:
        return false;
    }
}

static bool help_act(struct ft_con *c, enum ft_act act)
{
    if (ft_scroll_act(act, 18, &c->hp.scroll))
        return true;
    if (act == FT_ACT_SEARCH) {
        ft_prompt_text(c, "search this help", "", help_search);
        return true;
    }
    if (act == FT_ACT_CLOSE && c->hp.search[0]) {
        c->hp.search[0] = '\0';
        return true;
    }
    return act == FT_ACT_OPEN;
}

const struct ft_view ft_view_help = {
    .letter = '?', .title = "Help", .draw = help_draw, .act = help_act};

/* Lines of at most w columns, broken at blanks where there are some; free() it. */
char *ft_text_wrap(const char *text, int w)
{
    size_t n = strlen(text), at = 0, line = 0, blank = 0;
    char *out = malloc(2 * n + 2);

    for (size_t i = 0; out && i < n; i++) {
        out[at++] = text[i];
        if (text[i] == '\n') {
            line = at;
            blank = 0;
            continue;
        }
        blank = text[i] == ' ' ? at - 1 : blank;
        if (ft_text_width((struct ft_span){out + line, at - line}) <= w)
            continue;
        if (blank) {
            out[blank] = '\n';
            line = blank + 1;
        } else if ((text[i] & 0xC0) != 0x80) { /* a long word: before this character */
            out[at - 1] = '\n';
            line = at;
            out[at++] = text[i];
        }
        blank = 0;
    }
    if (out)
        out[at] = '\0';
    return out;
}

/* ---- a text --------------------------------------------------------------------------------------- */

static void text_draw(struct ft_con *c, struct ft_canvas *cv, struct ft_box b)
{
    const char *p = c->tx.text ? c->tx.text : "";
    int line = 0, lines = 1;

    for (const char *q = p; *q; q++)
        lines += *q == '\n';
    if (c->tx.scroll > lines - 2)
        c->tx.scroll = lines > 2 ? lines - 2 : 0;
    ft_rule(cv, b.y, b.x, b.w, c->tx.title, "j k scroll  Esc back");
    for (; *p; line++) {
        size_t n = strcspn(p, "\n");
        char text[1024];

        if (line >= c->tx.scroll && line - c->tx.scroll < b.h - 1) {
            snprintf(text, sizeof(text), "%.*s", (int)(n < 1000 ? n : 1000), p);
            ft_put(cv, b.y + 1 + line - c->tx.scroll, b.x + 1, b.w - 1, FT_ROLE_NORMAL, text);
        }
        p += n + (p[n] == '\n');
    }
}

static bool text_act(struct ft_con *c, enum ft_act act)
{
    if (act == FT_ACT_EXPORT) {
        ft_export(c);
        return true;
    }
    return ft_scroll_act(act, 18, &c->tx.scroll) || act == FT_ACT_OPEN;
}

const struct ft_view ft_view_text = {
    .letter = '!', .title = "Text", .draw = text_draw, .act = text_act};

void ft_text_show(struct ft_con *c, const char *title, const char *text)
{
    char *copy = strdup(text);

    if (!copy)
        return;
    free(c->tx.text);
    c->tx.text = copy;
    c->tx.scroll = 0;
    snprintf(c->tx.title, sizeof(c->tx.title), "%s", title);
    ft_con_push(c, FT_PLACE_TEXT);
}
