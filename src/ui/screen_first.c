/* First start: four checks, and what one can do next. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "console.h"
#include "fraudtop/config.h"
#include "fraudtop/text.h"

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
    {"d", "see the demo: sample data, its own broker and database, ready at once"},
    {"r", "replay a CSV file of yours the same way, without any service"         },
    {"c", "enter the Kafka and PostgreSQL addresses"                             },
    {"1", "go on to the console as it is"                                        },
    {"q", "quit; run \"fraudtop doctor\" at any time to repeat the checks"       },
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
    ft_putf(cv, y, 22, b.w - 22, FT_ROLE_NORMAL, "%d x %d, %s", cv->cols, cv->rows,
            cv->ascii ? "ASCII" : "UTF-8");
    if (c->colours > 1)
        ft_putf(cv, y, 40, b.w - 40, FT_ROLE_NORMAL, "%d colours", c->colours);
    y++;
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
        ft_putf(cv, y + 1, 1, b.w - 1, FT_ROLE_MUTED, "Settings are kept in %s.",
                c->opts.config_file ? c->opts.config_file
                                    : "the file that \"fraudtop doctor\" names");
        ft_put(cv, y + 2, 1, b.w - 1, FT_ROLE_MUTED,
               "Names and streets are masked on screen. m shows or hides them.");
    }
}

static void leave_for(struct ft_con *c, enum ft_ui_next next)
{
    c->opts.then->next = next;
    c->quit = true;
}

static void file_typed(struct ft_con *c, const char *text)
{
    snprintf(c->opts.then->file, sizeof(c->opts.then->file), "%s", text);
    if (access(text, R_OK) == 0)
        leave_for(c, FT_UI_DEMO);
    else
        ft_say_error(c, "%s: %s", text, strerror(errno));
}

void ft_addresses_show(struct ft_con *c)
{
    char text[1600];

    snprintf(
        text, sizeof(text),
        "Kafka     %s\nPostgreSQL %s\n\nOn the command line:\n\n    fraudtop -b HOST:9092 -d "
        "'host=HOST dbname=fraud'\n\nor for good, in the configuration file\n\n    %s\n\n    "
        "[service]\n    brokers = HOST:9092\n    database = host=HOST dbname=fraud\n\nPasswords "
        "belong into ~/.pgpass or the section [kafka], never here.\n",
        c->live->kafka.where, c->live->pg.where,
        c->opts.config_file ? c->opts.config_file : "that fraudtop doctor names");
    ft_text_show(c, "addresses", text);
}

/* A configuration file where there is none yet; folders above it are made. */
static bool write_config(const char *path, const char *brokers, const char *database)
{
    char folder[1024];
    FILE *f;
    int fd;
    bool ok;

    for (const char *p = strchr(path + 1, '/'); p; p = strchr(p + 1, '/')) {
        snprintf(folder, sizeof(folder), "%.*s", (int)(p - path), path);
        mkdir(folder, 0700); /* most are there */
    }
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    f = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (!f)
        return false;
    fprintf(f,
            "# Written on the first start; yours from now on, and never rewritten.\n[service]\n");
    fprintf(f, "brokers = %s\n", brokers);
    if (*database)
        fprintf(f, "database = %s\n", database);
    ok = ferror(f) == 0;
    return fclose(f) == 0 && ok;
}

static void database_typed(struct ft_con *c, const char *text)
{
    if (ft_conninfo_has_password(text)) {
        ft_say_error(
            c, "No password here: it belongs into ~/.pgpass or PGPASSWORD. Nothing was written.");
        return;
    }
    if (!write_config(c->opts.config_file, c->brokers, text)) {
        ft_say_error(c, "%s: %s", c->opts.config_file, strerror(errno));
        return;
    }
    leave_for(c, FT_UI_AGAIN);
}

static void brokers_typed(struct ft_con *c, const char *text)
{
    snprintf(c->brokers, sizeof(c->brokers), "%s", text);
    ft_prompt_text(c, "PostgreSQL (libpq; empty: as psql finds it)", "dbname=fraud",
                   database_typed);
    snprintf(c->prompt.above, sizeof(c->prompt.above), "will be written to %s",
             c->opts.config_file);
}

static void ask_addresses(struct ft_con *c)
{
    if (!c->opts.then || !c->opts.config_file || access(c->opts.config_file, F_OK) == 0) {
        ft_addresses_show(c); /* there is a file already, which is the user's */
        return;
    }
    ft_prompt_text(c, "Kafka (HOST:PORT, commas between)", "localhost:9092", brokers_typed);
    c->prompt.required = true;
    snprintf(c->prompt.above, sizeof(c->prompt.above), "will be written to %s",
             c->opts.config_file);
}

static void choose(struct ft_con *c, char key)
{
    if ((key == 'd' || key == 'r') && !c->opts.then) {
        ft_say(c, "Leave with q and run: fraudtop demo%s", key == 'r' ? " FILE" : "");
        return;
    }
    switch (key) {
    case 'd':
        leave_for(c, FT_UI_DEMO);
        break;
    case 'r':
        ft_prompt_text(c, "CSV file", "", file_typed);
        c->prompt.required = true;
        break;
    case 'c':
        ask_addresses(c);
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
