/* Files the console writes: exports, screens as text, and its own state. */
#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "console.h"
#include "fraudtop/text.h"
#include "snapshot.h"

#define FILE_MAX (64 << 20)

/* ---- files that are never overwritten ------------------------------------------------------------- */

/* "flagged-20201120-140207.csv" in the export folder; takes the next free number. */
static int make_file(const struct ft_con *c, const char *what, const char *ending, char *path,
                     size_t size)
{
    const char *dir = c->opts.export_dir ? c->opts.export_dir : ".";
    time_t t = (time_t)(c->wall_ms / 1000 + c->utc_offset_s);
    char stamp[32], more[16] = "";
    struct tm tm;

    gmtime_r(&t, &tm);
    strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", &tm);
    for (int i = 2; i < 1000; i++) {
        int fd;

        snprintf(path, size, "%s/%s-%s%s.%s.part", dir, what, stamp, more, ending);
        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd >= 0) {
            path[strlen(path) - 5] = '\0';
            if (access(path, F_OK) != 0) /* the final name is free as well */
                return fd;
            close(fd);
            memcpy(path + strlen(path), ".part", 6);
            unlink(path);
        } else if (errno != EEXIST) {
            return -1;
        }
        snprintf(more, sizeof(more), "-%d", i);
    }
    return -1;
}

static bool write_all(int fd, const char *p, size_t n)
{
    while (n) {
        ssize_t w = write(fd, p, n);

        if (w < 0 && errno == EINTR)
            continue;
        if (w <= 0)
            return false;
        p += w;
        n -= (size_t)w;
    }
    return true;
}

/* Writes under a .part name, which stays when the disk is full, and renames. */
static void save(struct ft_con *c, const char *what, const char *ending, const struct ft_buf *b,
                 const char *said)
{
    char path[600], part[610];
    int fd;

    if (b->failed) {
        ft_say_error(c, "Not written: too much for the memory.");
        return;
    }
    fd = make_file(c, what, ending, path, sizeof(path));
    if (fd < 0) {
        ft_say_error(c, "Not written: %s: %s", path, strerror(errno));
        return;
    }
    snprintf(part, sizeof(part), "%s.part", path);
    if (!write_all(fd, b->p ? b->p : "", b->n) || fsync(fd) != 0) {
        ft_say_error(c, "%s: %s; what was written is kept as %s", path, strerror(errno), part);
        close(fd);
        return;
    }
    close(fd);
    if (rename(part, path) != 0)
        ft_say_error(c, "%s: %s", part, strerror(errno));
    else
        ft_say(c, "%s: %s", said, strncmp(path, "./", 2) == 0 ? path + 2 : path);
}

/* ---- lists ---------------------------------------------------------------------------------------- */

static void csv_cell(struct ft_buf *b, const char *text)
{
    bool quote = strpbrk(text, ",\"\r\n") != NULL;
    char *end;
    bool formula = strchr("=+-@\t", *text) && *text && (strtod(text, &end), *end);

    /* A spreadsheet must not take a merchant's name for a formula. */
    if (quote)
        ft_buf_char(b, '"');
    if (formula)
        ft_buf_char(b, '\'');
    for (; *text; text++) {
        if (*text == '"')
            ft_buf_char(b, '"');
        ft_buf_char(b, *text);
    }
    if (quote)
        ft_buf_char(b, '"');
}

static void iso_time(int64_t wall_ms, char *out, size_t size)
{
    time_t t = (time_t)(wall_ms / 1000);
    struct tm tm;

    gmtime_r(&t, &tm);
    strftime(out, size, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

static const char *const export_name[] = {
    "transaction_id", "event", "arrived", "score",       "amount", "merchant",   "category",
    "customer",       "city",  "state",   "distance_km", "status", "claimed_by", "why"};
#define N_EXPORT (int)(sizeof(export_name) / sizeof(*export_name))

static void export_value(const struct ft_con *c, const struct ft_flagged *r, int i, char *out,
                         size_t size)
{
    char id[FT_UUID_TEXT + 1];

    *out = '\0';
    switch (i) {
    case 0:
        ft_uuid_format(&r->id, id);
        snprintf(out, size, "%s", id);
        break;
    case 1:
        snprintf(out, size, "%s", r->event);
        break;
    case 2:
        iso_time(r->arrived_ms, out, size);
        break;
    case 3:
        snprintf(out, size, "%.17g", r->score);
        break;
    case 4:
        snprintf(out, size, "%s", r->amount);
        break;
    case 5:
        snprintf(out, size, "%s", r->merchant);
        break;
    case 6:
        snprintf(out, size, "%s", r->category);
        break;
    case 7:
        ft_show_customer(c, r->name_1, r->name_2, out, size);
        break;
    case 8:
        snprintf(out, size, "%s", r->city);
        break;
    case 9:
        snprintf(out, size, "%s", r->state);
        break;
    case 10:
        if (r->distance_km == r->distance_km)
            snprintf(out, size, "%.6g", r->distance_km);
        break;
    case 11:
        snprintf(out, size, "%s",
                 r->status == 'f'   ? "fraud"
                 : r->status == 'l' ? "legitimate"
                 : r->status == 'e' ? "escalated"
                 : r->status == 's' ? "snoozed"
                                    : "open");
        break;
    case 12:
        snprintf(out, size, "%s", r->claimed_by);
        break;
    default:
        snprintf(out, size, "%s", r->why);
    }
}

static void export_list(struct ft_con *c, bool json)
{
    struct ft_list *l = ft_con_list(c);
    struct ft_buf b;
    char value[300], said[64];

    ft_buf_init(&b, FILE_MAX);
    for (int i = 0; !json && i < N_EXPORT; i++)
        ft_buf_fmt(&b, "%s%s", i ? "," : "", export_name[i]);
    if (!json)
        ft_buf_text(&b, "\r\n");
    for (size_t k = 0; l && k < l->n_view; k++) {
        const struct ft_flagged *r = ft_list_row(l, k);

        for (int i = 0; i < N_EXPORT; i++) {
            export_value(c, r, i, value, sizeof(value));
            if (!json) {
                ft_buf_text(&b, i ? "," : "");
                csv_cell(&b, value);
                continue;
            }
            ft_buf_fmt(&b, "%s\"%s\":", i ? "," : "{\"schema\":\"flagged/1\",", export_name[i]);
            if (i == 3)
                ft_buf_double(&b, r->score);
            else if (i == 10)
                ft_buf_double(&b, r->distance_km);
            else
                ft_buf_json(&b, ft_span_of(value));
        }
        ft_buf_text(&b, json ? "}\n" : "\r\n");
    }
    snprintf(said, sizeof(said), "%zu rows%s", l ? l->n_view : 0,
             c->masked ? ", names masked" : "");
    save(c, ft_con_top(c) == FT_PLACE_QUEUE ? "queue" : "flagged", json ? "jsonl" : "csv", &b,
         said);
    ft_buf_fini(&b);
}

static void format_chosen(struct ft_con *c, const char *text)
{
    export_list(c, *text == 'j');
}

/* The screen as it would be with room for everything. */
static void export_picture(struct ft_con *c, const char *what, int cols, int rows)
{
    struct ft_canvas cv;
    struct ft_buf b;

    ft_buf_init(&b, FILE_MAX);
    if (ft_canvas_init(&cv, cols, rows, true)) {
        c->message[0] = '\0';
        ft_con_draw(c, &cv);
        ft_snapshot_head(c, &b, ft_con_top(c));
        ft_canvas_text(&cv, &b);
        ft_canvas_fini(&cv);
    } else {
        b.failed = true;
    }
    save(c, what, "txt", &b, "Written");
    ft_buf_fini(&b);
}

static void export_case(struct ft_con *c)
{
    enum ft_case_pane pane = c->cs.pane, p;
    char *raw = ft_case_raw(c);
    struct ft_canvas cv;
    struct ft_buf b;

    ft_buf_init(&b, FILE_MAX);
    ft_snapshot_head(c, &b, FT_PLACE_CASE);
    for (p = FT_CASE_FIELDS; p < FT_CASE_RAW; p++) {
        c->cs.pane = p;
        if (!ft_canvas_init(&cv, 110, 60, true)) {
            b.failed = true;
            break;
        }
        ft_case_draw(c, &cv, (struct ft_box){0, 0, 60, 110});
        ft_blank(&cv, 59, 0, 110);
        ft_canvas_text(&cv, &b);
        ft_canvas_fini(&cv);
        while (b.n > 1 && b.p[b.n - 1] == '\n' && b.p[b.n - 2] == '\n')
            b.n--;
        ft_buf_char(&b, '\n');
    }
    c->cs.pane = pane;
    ft_buf_text(&b, raw ? raw : "");
    ft_buf_char(&b, '\n');
    free(raw);
    save(c, "case", "txt", &b, "Case written");
    ft_buf_fini(&b);
}

void ft_export(struct ft_con *c)
{
    struct ft_buf b;

    switch (ft_con_top(c)) {
    case FT_PLACE_LIVE:
    case FT_PLACE_QUEUE:
        ft_prompt_key(c, "export what is shown:  c CSV   j JSON lines   Esc cancel", "cj",
                      format_chosen);
        break;
    case FT_PLACE_CASE:
        export_case(c);
        break;
    case FT_PLACE_TEXT:
        ft_buf_init(&b, FILE_MAX);
        ft_buf_text(&b, c->tx.text ? c->tx.text : "");
        save(c, "text", "txt", &b, "Written");
        ft_buf_fini(&b);
        break;
    case FT_PLACE_LOG:
        export_picture(c, "log", 200, 520);
        break;
    case FT_PLACE_HEALTH:
        export_picture(c, "health", 140, 80);
        break;
    default:
        export_picture(c, "screen", 140, 60);
    }
}

void ft_save_screen(struct ft_con *c)
{
    struct ft_canvas cv;
    struct ft_buf b;

    if (c->last_cols < 1 || !ft_canvas_init(&cv, c->last_cols, c->last_lines, c->last_ascii))
        return;
    ft_buf_init(&b, FILE_MAX);
    c->message[0] = '\0';
    ft_con_draw(c, &cv);
    ft_snapshot_head(c, &b, ft_con_top(c));
    ft_canvas_text(&cv, &b);
    ft_canvas_fini(&cv);
    save(c, "screen", "txt", &b, "Screen written");
    ft_buf_fini(&b);
}

/* ---- state ---------------------------------------------------------------------------------------- */

static void put_columns(struct ft_buf *b, const char *name, const struct ft_columns *cols)
{
    if (!cols->n)
        return;
    ft_buf_fmt(b, "%s =", name);
    for (size_t i = 0; i < cols->n; i++) {
        ft_buf_fmt(b, " %s", ft_column_specs[cols->col[i]].name);
        if (cols->extra[cols->col[i]])
            ft_buf_fmt(b, ":%d", cols->extra[cols->col[i]]);
    }
    ft_buf_char(b, '\n');
}

/* Written at each change, to a temporary file that is renamed: nothing is lost by a crash. */
void ft_state_save(struct ft_con *c)
{
    char temporary[1100];
    struct ft_buf b;
    int fd;

    if (!c->opts.state_file)
        return;
    snprintf(temporary, sizeof(temporary), "%s.tmp", c->opts.state_file);
    ft_buf_init(&b, 1 << 16);
    ft_buf_text(&b, "# Chosen on screen; written by the console.\n");
    ft_buf_fmt(&b, "refresh_ms = %d\ntheme = %s\nwindow = %d\n", c->refresh_ms, c->theme->name,
               (int)c->window);
    ft_buf_fmt(&b, "live.sort = %d\nqueue.sort = %d\n", (int)c->flagged.sort, (int)c->queue.sort);
    if (!strchr(c->queue.filter_text, '\n') && c->masked)
        ft_buf_fmt(&b, "queue.filter = %s\n", c->queue.filter_text);
    put_columns(&b, "live.columns", &c->live_cols);
    put_columns(&b, "queue.columns", &c->queue_cols);
    fd = b.failed ? -1 : open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd >= 0) {
        bool ok = write_all(fd, b.p, b.n);

        close(fd);
        if (!ok || rename(temporary, c->opts.state_file) != 0)
            unlink(temporary);
    }
    ft_buf_fini(&b);
}

static bool get_columns(struct ft_columns *cols, const char *p)
{
    cols->n = 0;
    while (*(p += strspn(p, " "))) {
        size_t n = strcspn(p, " "), name_n = strcspn(p, ": ");
        int col = 0;

        while (col < FT_N_COLUMNS &&
               !ft_span_is((struct ft_span){p, name_n}, ft_column_specs[col].name))
            col++;
        if (col == FT_N_COLUMNS || cols->n == FT_N_COLUMNS)
            return false;
        for (size_t i = 0; i < cols->n; i++)
            if (cols->col[i] == col)
                return false;
        cols->col[cols->n++] = (uint8_t)col;
        if (name_n < n) {
            long w = strtol(p + name_n + 1, NULL, 10);

            cols->extra[col] = (int8_t)(w < -10 ? -10 : w > 30 ? 30 : w);
        }
        p += n;
    }
    return true;
}

static bool set_state(struct ft_con *c, const char *name, const char *value)
{
    long n = strtol(value, NULL, 10);

    if (strcmp(name, "refresh_ms") == 0) {
        if (n < 500 || n > 10000)
            return false;
        if (!c->opts.refresh_ms)
            c->refresh_ms = (int)n;
    } else if (strcmp(name, "theme") == 0) {
        if (strcmp(ft_theme_find(value)->name, value) != 0)
            return false;
        if (!c->opts.theme)
            c->theme = ft_theme_find(value);
    } else if (strcmp(name, "window") == 0) {
        if (n < 0 || n >= FT_N_WINDOWS)
            return false;
        c->window = (enum ft_score_window)n;
    } else if (strcmp(name, "live.sort") == 0 || strcmp(name, "queue.sort") == 0) {
        if (n < 0 || n >= FT_N_SORTS)
            return false;
        (*name == 'l' ? &c->flagged : &c->queue)->sort = (enum ft_sort)n;
    } else if (strcmp(name, "queue.filter") == 0) {
        snprintf(c->queue.filter_text, sizeof(c->queue.filter_text), "%s", value);
    } else if (strcmp(name, "live.columns") == 0) {
        return get_columns(&c->live_cols, value);
    } else if (strcmp(name, "queue.columns") == 0) {
        return get_columns(&c->queue_cols, value);
    } else {
        return false;
    }
    return true;
}

/* A broken file is reported and left alone, never fatal. */
void ft_state_load(struct ft_con *c)
{
    char line[1024], *eq, *name, *value;
    int number = 0, bad = 0;
    FILE *f;

    if (!c->opts.state_file || !(f = fopen(c->opts.state_file, "r")))
        return;
    while (number < 100 && fgets(line, sizeof(line), f)) {
        number++;
        line[strcspn(line, "\r\n")] = '\0';
        name = line + strspn(line, " ");
        if (*name == '#' || !*name)
            continue;
        eq = strstr(name, " =");
        if (eq) {
            *eq = '\0';
            value = eq + 2 + strspn(eq + 2, " ");
        }
        if (!eq || !set_state(c, name, value))
            bad = bad ? bad : number;
    }
    fclose(f);
    if (bad)
        ft_say_error(c, "%s:%d cannot be understood; that line is left out.", c->opts.state_file,
                     bad);
}
