/* Options and columns, chosen on screen; and the first start. */
#include <stdio.h>
#include <string.h>

#include "console.h"
#include "fraudtop/text.h"

/* ---- options -------------------------------------------------------------------------------------- */

enum { OPT_REFRESH, OPT_THEME, OPT_MASK, OPT_WINDOW, OPT_SLOW, N_OPTS };

static const char *const window_name[FT_N_WINDOWS] = {"100 scores", "1,000 scores", "5 minutes",
                                                      "this run"};

static void option_value(const struct ft_con *c, int i, char *out, size_t size)
{
    switch (i) {
    case OPT_REFRESH:
        snprintf(out, size, "%g s", c->refresh_ms / 1000.0);
        break;
    case OPT_THEME:
        snprintf(out, size, "%s (%s)", c->theme->name, c->theme->help);
        break;
    case OPT_MASK:
        snprintf(out, size, "%s",
                 c->masked ? "names and streets masked" : "SHOWN until the console ends");
        break;
    case OPT_WINDOW:
        snprintf(out, size, "%s", window_name[c->window]);
        break;
    default:
        snprintf(out, size, "%s", c->slow ? "on: a frame in 5 s, no chart" : "off");
    }
}

static void options_draw(struct ft_con *c, struct ft_canvas *cv, struct ft_box b)
{
    static const char *const name[N_OPTS] = {"refresh", "theme", "people", "histogram of",
                                             "slow link"};
    char value[100];

    ft_title(c, cv, b.y, b.x, b.w, "options", "h l change");
    for (int i = 0; i < N_OPTS && i + 2 < b.h; i++) {
        int y = b.y + 2 + i;

        option_value(c, i, value, sizeof(value));
        ft_put(cv, y, 1, 1, FT_ROLE_STRONG, i == c->option_at ? ">" : " ");
        ft_put(cv, y, 3, 14, FT_ROLE_STRONG, name[i]);
        ft_put(cv, y, 18, b.w - 18, FT_ROLE_NORMAL, value);
        if (i == c->option_at) {
            ft_select(cv, y, 0, b.w);
            cv->cursor_x = 0;
            cv->cursor_y = y;
        }
    }
    if (b.h > N_OPTS + 7) {
        int y = b.y + N_OPTS + 3;

        ft_putf(cv, y, 3, b.w - 3, FT_ROLE_MUTED, "kept in %s",
                c->opts.state_file ? c->opts.state_file : "(nowhere: no state folder)");
        ft_put(cv, y + 1, 3, b.w - 3, FT_ROLE_MUTED,
               "Columns: c on Live and Queue.  Keys, colours, limits: the configuration file,");
        ft_put(cv, y + 2, 3, b.w - 3, FT_ROLE_MUTED,
               "which this program never rewrites.  fraudtop doctor shows every value and where "
               "from.");
    }
}

static void next_theme(struct ft_con *c, int by)
{
    size_t i = (size_t)(c->theme - ft_themes);

    c->theme = &ft_themes[(i + ft_n_themes + (size_t)(by + (int)ft_n_themes)) % ft_n_themes];
}

static bool options_act(struct ft_con *c, enum ft_act act)
{
    int by = act == FT_ACT_LEFT ? -1 : 1;

    if (act == FT_ACT_DOWN || act == FT_ACT_UP) {
        c->option_at = (c->option_at + N_OPTS + (act == FT_ACT_DOWN ? 1 : -1)) % N_OPTS;
        return true;
    }
    if (act != FT_ACT_LEFT && act != FT_ACT_RIGHT && act != FT_ACT_OPEN)
        return false;
    switch (c->option_at) {
    case OPT_REFRESH:
        ft_con_act(c, by < 0 ? FT_ACT_FASTER : FT_ACT_SLOWER);
        return true;
    case OPT_THEME:
        next_theme(c, by);
        break;
    case OPT_MASK:
        ft_con_act(c, FT_ACT_MASK);
        return true;
    case OPT_WINDOW:
        c->window = (enum ft_score_window)(((int)c->window + by + FT_N_WINDOWS) % FT_N_WINDOWS);
        break;
    default:
        c->slow = !c->slow;
    }
    ft_state_save(c);
    return true;
}

static const enum ft_act option_hints[] = {FT_ACT_OPEN, FT_N_ACTS};

const struct ft_view ft_view_options = {.letter = 'O',
                                        .title = "Options",
                                        .hints = option_hints,
                                        .draw = options_draw,
                                        .act = options_act};

/* ---- columns -------------------------------------------------------------------------------------- */

static struct ft_columns *columns(struct ft_con *c)
{
    return ft_con_screen(c) == FT_PLACE_QUEUE ? &c->queue_cols : &c->live_cols;
}

static bool shown(const struct ft_columns *cols, int col, size_t *at)
{
    for (size_t i = 0; i < cols->n; i++)
        if (cols->col[i] == col) {
            *at = i;
            return true;
        }
    return false;
}

static void columns_enter(struct ft_con *c)
{
    struct ft_columns *cols = columns(c);

    if (cols->n == 0)
        ft_columns_default(cols, 80);
}

/* Shown ones first, in their order, then the others. */
static int column_at(const struct ft_columns *cols, int i)
{
    size_t at;
    int k = i - (int)cols->n;

    if (i < (int)cols->n)
        return cols->col[i];
    for (int col = 0; col < FT_N_COLUMNS; col++)
        if (!shown(cols, col, &at) && k-- == 0)
            return col;
    return 0;
}

static void columns_draw(struct ft_con *c, struct ft_canvas *cv, struct ft_box b)
{
    const struct ft_columns *cols = columns(c);

    ft_title(c, cv, b.y, b.x, b.w, "columns", "Enter show, hide  h l move  + - width");
    for (int i = 0; i < FT_N_COLUMNS && i + 2 < b.h; i++) {
        int col = column_at(cols, i), y = b.y + 1 + i;
        size_t at;

        ft_put(cv, y, 1, 1, FT_ROLE_STRONG, i == c->column_at ? ">" : " ");
        ft_put(cv, y, 3, 3, FT_ROLE_NORMAL, shown(cols, col, &at) ? "[x]" : "[ ]");
        ft_put(cv, y, 7, 12, FT_ROLE_NORMAL, ft_column_specs[col].name);
        if (cols->extra[col])
            ft_putf(cv, y, 20, 10, FT_ROLE_MUTED, "width %+d", cols->extra[col]);
        if (i == c->column_at)
            ft_select(cv, y, 0, b.w);
    }
    if (b.h > FT_N_COLUMNS + 2)
        ft_put(cv, b.y + FT_N_COLUMNS + 1, 3, b.w - 3, FT_ROLE_MUTED,
               "What does not fit goes: why first, then city, distance, category, event.");
}

static void swap(struct ft_columns *cols, size_t a, size_t b)
{
    uint8_t t = cols->col[a];

    cols->col[a] = cols->col[b];
    cols->col[b] = t;
}

static bool columns_act(struct ft_con *c, enum ft_act act)
{
    struct ft_columns *cols = columns(c);
    int col = column_at(cols, c->column_at);
    size_t at = 0;
    bool on = shown(cols, col, &at);

    switch (act) {
    case FT_ACT_DOWN:
    case FT_ACT_UP:
        c->column_at = (c->column_at + FT_N_COLUMNS + (act == FT_ACT_DOWN ? 1 : -1)) % FT_N_COLUMNS;
        return true;
    case FT_ACT_OPEN:
        if (on && cols->n > 1) {
            for (size_t i = at; i + 1 < cols->n; i++)
                cols->col[i] = cols->col[i + 1];
            cols->n--;
        } else if (!on) {
            cols->col[cols->n++] = (uint8_t)col;
            c->column_at = (int)cols->n - 1;
        }
        break;
    case FT_ACT_LEFT:
        if (on && at > 0) {
            swap(cols, at, at - 1);
            c->column_at--;
        }
        break;
    case FT_ACT_RIGHT:
        if (on && at + 1 < cols->n) {
            swap(cols, at, at + 1);
            c->column_at++;
        }
        break;
    case FT_ACT_FASTER:
        cols->extra[col] = (int8_t)(cols->extra[col] + (cols->extra[col] < 30));
        break;
    case FT_ACT_SLOWER:
        cols->extra[col] = (int8_t)(cols->extra[col] - (cols->extra[col] > -10));
        break;
    default:
        return false;
    }
    ft_state_save(c);
    return true;
}

const struct ft_view ft_view_columns = {.letter = 'O',
                                        .title = "Columns",
                                        .hints = option_hints,
                                        .draw = columns_draw,
                                        .act = columns_act,
                                        .enter = columns_enter};

/* ---- first start ---------------------------------------------------------------------------------- */

static void check_line(struct ft_canvas *cv, int y, int w, const char *name,
                       const struct ft_part *p, const char *none)
{
    const char *word = p->state == FT_PART_UP || p->state == FT_PART_EMBEDDED ? "ok"
                       : p->state == FT_PART_DOWN                             ? "none"
                       : p->state == FT_PART_NONE                             ? "none"
                                                                              : "...";
    char text[300];

    ft_put(cv, y, 3, 10, FT_ROLE_NORMAL, name);
    ft_put(cv, y, 14, 5, word[0] == 'o' ? FT_ROLE_GOOD : FT_ROLE_WARN, word);
    if (p->state == FT_PART_NONE)
        snprintf(text, sizeof(text), "%s", none);
    else
        snprintf(text, sizeof(text), "%s%s%s", p->where, *p->where && *p->error ? ": " : "",
                 p->error);
    ft_put(cv, y, 22, w - 22, FT_ROLE_NORMAL, text);
}

static const struct {
    const char *key, *text;
} choice[] = {
    {"d", "see the demo: run \"fraudtop demo\" (its own broker and database)"},
    {"r", "replay a CSV file: the Replay screen"                             },
    {"c", "enter the Kafka and PostgreSQL addresses: what to write where"    },
    {"1", "go on to the console"                                             },
    {"q", "quit; \"fraudtop doctor\" repeats the checks at any time"         },
};
#define N_CHOICES (int)(sizeof(choice) / sizeof(*choice))

static void first_draw(struct ft_con *c, struct ft_canvas *cv, struct ft_box b)
{
    const struct ft_live *l = c->live;
    int y = b.y;

    ft_put(cv, y, 0, b.w, FT_ROLE_STRONG, "fraudtop  first start");
    y += 2;
    ft_put(cv, y++, 1, b.w - 1, FT_ROLE_NORMAL,
           "This console replays card transactions, scores them and lets you review the");
    ft_put(cv, y++, 1, b.w - 1, FT_ROLE_NORMAL,
           "flagged ones. Four checks were made on this machine:");
    y++;
    ft_put(cv, y, 3, 10, FT_ROLE_NORMAL, "terminal");
    ft_put(cv, y, 14, 5, FT_ROLE_GOOD, "ok");
    ft_putf(cv, y++, 22, b.w - 22, FT_ROLE_NORMAL, "%d x %d, %s", cv->cols, cv->rows,
            cv->ascii ? "ASCII" : "UTF-8");
    check_line(cv, y++, b.w, "model", &l->model, "no model is configured");
    check_line(cv, y++, b.w, "kafka", &l->kafka, "no broker is configured");
    check_line(cv, y++, b.w, "postgres", &l->pg, "no connection string given");
    y++;
    ft_put(cv, y, 1, b.w - 1, FT_ROLE_NORMAL, "What would you like to do?");
    y += 2;
    for (int i = 0; i < N_CHOICES && y < b.y + b.h - 3; i++, y++) {
        ft_putf(cv, y, 1, b.w - 1, FT_ROLE_NORMAL, "%s %s   %s", i == c->first_at ? ">" : " ",
                choice[i].key, choice[i].text);
        if (i == c->first_at) {
            ft_select(cv, y, 0, b.w);
            cv->cursor_x = 0;
            cv->cursor_y = y;
        }
    }
    if (y + 2 < b.y + b.h) {
        ft_put(cv, y + 1, 1, b.w - 1, FT_ROLE_MUTED,
               "Settings are kept in the file that \"fraudtop doctor\" names.");
        ft_put(cv, y + 2, 1, b.w - 1, FT_ROLE_MUTED,
               "Names and streets are masked on screen. m shows or hides them.");
    }
}

static void choose(struct ft_con *c, char key)
{
    switch (key) {
    case 'd':
        ft_text_show(c, "the demo",
                     "Leave with q and start\n\n    fraudtop demo\n\nIt brings its own broker and "
                     "database, replays the sample, and opens this console.\n");
        break;
    case 'r':
        ft_con_go(c, FT_PLACE_REPLAY);
        break;
    case 'c':
        ft_text_show(c, "addresses",
                     "On the command line:\n\n    fraudtop -b HOST:9092 -d 'host=HOST "
                     "dbname=fraud'\n\nor for good, in the configuration "
                     "file that fraudtop doctor names:\n\n    [kafka]\n    brokers = HOST:9092\n\n "
                     "   [database]\n    conninfo = "
                     "host=HOST dbname=fraud\n\nPasswords belong into ~/.pgpass, never here.\n");
        break;
    case 'q':
        c->quit = true;
        break;
    default:
        ft_con_pop(c);
    }
}

static bool first_key(struct ft_con *c, uint32_t code)
{
    for (int i = 0; i < N_CHOICES; i++)
        if (code == (uint32_t)choice[i].key[0]) {
            choose(c, choice[i].key[0]);
            return true;
        }
    return false;
}

static bool first_act(struct ft_con *c, enum ft_act act)
{
    if (act == FT_ACT_DOWN || act == FT_ACT_UP) {
        c->first_at = (c->first_at + N_CHOICES + (act == FT_ACT_DOWN ? 1 : -1)) % N_CHOICES;
        return true;
    }
    if (act == FT_ACT_OPEN) {
        choose(c, choice[c->first_at].key[0]);
        return true;
    }
    return false;
}

static const enum ft_act first_hints[] = {FT_ACT_OPEN, FT_N_ACTS};

const struct ft_view ft_view_first = {.letter = 'I',
                                      .title = "First start",
                                      .hints = first_hints,
                                      .draw = first_draw,
                                      .act = first_act,
                                      .key = first_key};
