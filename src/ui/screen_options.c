/* Options and columns, chosen on screen. */
#include <stdio.h>
#include <string.h>

#include "console.h"
#include "fraudtop/text.h"

/* ---- options -------------------------------------------------------------------------------------- */

enum {
    OPT_REFRESH,
    OPT_THEME,
    OPT_MASK,
    OPT_WINDOW,
    OPT_GRAPH,
    OPT_MESSAGES,
    OPT_BELL,
    OPT_SLOW,
    N_OPTS
};

static const int stay_steps[] = {5000, 10000, 30000, 0};
#define N_STEPS (int)(sizeof(stay_steps) / sizeof(stay_steps[0]))

static const char *const graph_help[FT_N_GRAPHS] = {
    "auto: blocks, or ASCII where there is no UTF-8", "blocks", "braille dots", "ASCII"};

static const char *const bell_help[] = {"off", "when Kafka or PostgreSQL goes down",
                                        "when a case is over its time",
                                        "when a service goes down, or a case is over its time"};

static const char *const window_name[FT_N_WINDOWS] = {"100 scores", "1,000 scores", "5 minutes",
                                                      "this run",   "this hour",    "24 hours"};

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
    case OPT_GRAPH:
        snprintf(out, size, "%s", graph_help[c->graph]);
        break;
    case OPT_MESSAGES:
        if (c->stay_ms)
            snprintf(out, size, "%g s, errors until the next key", c->stay_ms / 1000.0);
        else
            snprintf(out, size, "until the next key");
        break;
    case OPT_BELL:
        snprintf(out, size, "%s", bell_help[c->bell_on]);
        break;
    default:
        snprintf(out, size, "%s", c->slow ? "on: a frame in 5 s, no chart" : "off");
    }
}

static void options_draw(struct ft_con *c, struct ft_canvas *cv, struct ft_box b)
{
    static const char *const name[N_OPTS] = {"refresh", "theme",    "people", "histogram of",
                                             "charts",  "messages", "bell",   "slow link"};
    int first = c->option_at + 3 > b.h ? c->option_at + 3 - b.h : 0; /* the selected one is seen */
    char value[100];

    ft_title(c, cv, b.y, b.x, b.w, "options", "h l change");
    for (int i = first; i < N_OPTS && i - first + 2 < b.h; i++) {
        int y = b.y + 2 + i - first;

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
    size_t all = ft_n_themes + (c->own.name ? 1 : 0),
           i = c->theme == &c->own ? ft_n_themes : (size_t)(c->theme - ft_themes);

    i = (i + all + (size_t)(by + (int)all)) % all;
    c->theme = i == ft_n_themes ? &c->own : &ft_themes[i];
}

static void next_stay(struct ft_con *c, int by)
{
    int i = 0;

    while (i < N_STEPS - 1 &&
           stay_steps[i] != c->stay_ms) /* another one, of the settings: as the last */
        i++;
    c->stay_ms = stay_steps[(i + N_STEPS + by) % N_STEPS];
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
    case OPT_GRAPH:
        c->graph = (enum ft_graph)(((int)c->graph + by + FT_N_GRAPHS) % FT_N_GRAPHS);
        break;
    case OPT_MESSAGES:
        next_stay(c, by);
        break;
    case OPT_BELL:
        c->bell_on = (c->bell_on + (unsigned)by) & (FT_BELL_DOWN | FT_BELL_OVERTIME);
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

/* As they are shown: nothing is chosen by looking, else the defaults for one width would stay for all. */
static struct ft_columns as_shown(struct ft_con *c)
{
    struct ft_columns cols = *columns(c);

    if (cols.n == 0)
        ft_columns_default(&cols, c->last_cols < 80 ? 80 : c->last_cols);
    return cols;
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
    const struct ft_columns now = as_shown(c), *cols = &now;

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
    struct ft_columns now = as_shown(c), *cols = &now;
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
    *columns(c) = now;
    ft_state_save(c);
    return true;
}

const struct ft_view ft_view_columns = {.letter = 'O',
                                        .title = "Columns",
                                        .hints = option_hints,
                                        .draw = columns_draw,
                                        .act = columns_act};
