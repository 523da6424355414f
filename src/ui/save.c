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

/* PATH.part, unless it or PATH is there already (EEXIST). */
static int make_part(char *path, size_t size)
{
    size_t n = strlen(path);
    int fd;

    if (n + 6 > size) {
        errno = ENAMETOOLONG;
        return -1;
    }
    if (access(path, F_OK) == 0) {
        errno = EEXIST;
        return -1;
    }
    memcpy(path + n, ".part", 6);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    path[n] = '\0';
    return fd;
}

/* "flagged-20201120-140207.csv" in the export folder; takes the next free number. */
static int make_file(const struct ft_con *c, const char *what, const char *ending, char *path,
                     size_t size)
{
    const char *dir = c->opts.export_dir ? c->opts.export_dir : ".";
    time_t t = (time_t)(c->wall_ms / 1000 + c->utc_offset_s);
    char stamp[32], more[16] = "";
    struct tm tm;
    int fd = -1;

    gmtime_r(&t, &tm);
    strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", &tm);
    for (int i = 2; i < 1000; i++) {
        snprintf(path, size, "%s/%s-%s%s.%s", dir, what, stamp, more, ending);
        fd = make_part(path, size);
        if (fd >= 0 || errno != EEXIST)
            break;
        snprintf(more, sizeof(more), "-%d", i);
    }
    return fd;
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

static const char *shown_path(const char *path)
{
    return strncmp(path, "./", 2) == 0 ? path + 2 : path;
}

/* Writes under a .part name, which stays when the disk is full, and renames.  fd: of the part. */
static void save_to(struct ft_con *c, int fd, const char *path, const struct ft_buf *b,
                    const char *said)
{
    char part[610];

    snprintf(part, sizeof(part), "%s.part", path);
    if (fd < 0)
        ft_say_error(c, "Not written: %s: %s", path, strerror(errno));
    else if (!write_all(fd, b->p ? b->p : "", b->n) || fsync(fd) != 0)
        ft_say_error(c, "%s: %s; what was written is kept as %s", path, strerror(errno), part);
    else if (rename(part, path) != 0)
        ft_say_error(c, "%s: %s", part, strerror(errno));
    else
        ft_say(c, "%s: %s", said, shown_path(path));
    if (fd >= 0)
        close(fd);
}

static void save(struct ft_con *c, const char *what, const char *ending, const struct ft_buf *b,
                 const char *said)
{
    char path[600];

    if (b->failed)
        ft_say_error(c, "Not written: too much for the memory.");
    else
        save_to(c, make_file(c, what, ending, path, sizeof(path)), path, b, said);
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

/* The rows that are here, without a database. */
static void rows_text(const struct ft_con *c, const struct ft_list *l, bool json, struct ft_buf *b)
{
    char value[300];

    for (int i = 0; !json && i < N_EXPORT; i++)
        ft_buf_fmt(b, "%s%s", i ? "," : "", export_name[i]);
    if (!json)
        ft_buf_text(b, "\r\n");
    for (size_t k = 0; k < l->n_view; k++) {
        const struct ft_flagged *r = ft_list_row(l, k);

        for (int i = 0; i < N_EXPORT; i++) {
            export_value(c, r, i, value, sizeof(value));
            if (!json) {
                ft_buf_text(b, i ? "," : "");
                csv_cell(b, value);
                continue;
            }
            ft_buf_fmt(b, "%s\"%s\":", i ? "," : "{\"schema\":\"flagged/1\",", export_name[i]);
            if (i == 3)
                ft_buf_double(b, r->score);
            else if (i == 10)
                ft_buf_double(b, r->distance_km);
            else
                ft_buf_json(b, ft_span_of(value));
        }
        ft_buf_text(b, json ? "}\n" : "\r\n");
    }
}

static void exported(struct ft_con *c, const struct ft_answer *a, const cJSON *json)
{
    char rows[32];

    if (!a->ok) {
        ft_say_error(c, "Export: %s", a->error);
        return;
    }
    ft_fmt_count(rows, sizeof(rows), (uint64_t)ft_js_number(json, "rows"));
    ft_say(c, "%s rows%s: %s", rows, c->masked ? ", names masked" : "",
           shown_path(ft_js_text(json, "path")));
}

/* All that the filter shows, from the database; false: there is none. */
static bool ask_export(struct ft_con *c, const struct ft_list *l, bool json, const char *path)
{
    const char *sort;
    bool reverse, asked;
    struct ft_buf b;

    if (c->newest->pg.state != FT_PART_UP && c->newest->pg.state != FT_PART_EMBEDDED)
        return false;
    ft_list_order(l, &sort, &reverse);
    ft_buf_init(&b, 8192);
    ft_buf_text(&b, "{\"path\":");
    ft_buf_json(&b, ft_span_of(path));
    ft_buf_text(&b, ",\"filter\":");
    ft_buf_json(&b, ft_span_of(l->filter_text));
    ft_buf_fmt(&b, ",\"sort\":\"%s\",\"reverse\":%s,\"all\":%s,\"mask\":%s,\"format\":\"%s\"}",
               sort, reverse ? "true" : "false", l == &c->flagged ? "true" : "false",
               c->masked ? "true" : "false", json ? "json" : "csv");
    asked = !b.failed && ft_con_ask(c, FT_ASK_EXPORT, exported, b.p);
    ft_buf_fini(&b);
    if (asked)
        ft_say(c, "Exporting ...");
    return asked;
}

/* name: of the file, "" for one with the time in it. */
static void export_list(struct ft_con *c, bool json, const char *name)
{
    const struct ft_list *l = ft_con_list(c);
    char path[600], said[80];
    struct ft_buf b;
    int fd;

    if (!l) {
        ft_say_error(c, "Rows are exported from Live or Queue.");
        return;
    }
    snprintf(path, sizeof(path), "%s", name);
    fd = *name ? make_part(path, sizeof(path))
               : make_file(c, l == &c->queue ? "queue" : "flagged", json ? "jsonl" : "csv", path,
                           sizeof(path));
    if (fd >= 0 && ask_export(c, l, json, path)) {
        close(fd);
        return;
    }
    ft_buf_init(&b, FILE_MAX);
    rows_text(c, l, json, &b);
    snprintf(said, sizeof(said), "%zu rows of those here%s", l->n_view,
             c->masked ? ", names masked" : "");
    save_to(c, fd, path, &b, said);
    ft_buf_fini(&b);
}

void ft_export_rows(struct ft_con *c, const char *how)
{
    size_t n = strcspn(how, " ");
    bool json = strncmp(how, "json", n) == 0 && n >= 4;

    if (!json && !(n == 3 && strncmp(how, "csv", 3) == 0))
        ft_say_error(c, "Write :export csv [FILE] or :export json [FILE].");
    else
        export_list(c, json, how + n + strspn(how + n, " "));
}

static void format_chosen(struct ft_con *c, const char *text)
{
    export_list(c, *text == 'j', "");
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
        ft_prompt_key(c, "export all that the filter shows:  c CSV   j JSON lines   Esc cancel",
                      "cj", format_chosen);
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
    ft_buf_fmt(&b, "starts = %d\nrefresh_ms = %d\ntheme = %s\nwindow = %d\n", c->starts,
               c->refresh_ms, c->theme->name, (int)c->window);
    ft_buf_fmt(&b, "graph = %s\nbell = %u\nmessage_ms = %d\n", ft_graph_name[c->graph], c->bell_on,
               c->stay_ms);
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
        if (strcmp(value, "own") != 0 && strcmp(ft_theme_find(value)->name, value) != 0)
            return false; /* "own" without a section [theme] any more: the default */
        if (!c->opts.theme)
            c->theme = ft_con_theme(c, value);
    } else if (strcmp(name, "starts") == 0) {
        if (n < 0 || n > FT_TIP_STARTS + 1)
            return false;
        c->starts = (int)n;
    } else if (strcmp(name, "graph") == 0) {
        enum ft_graph graph = ft_graph_find(value);

        if (graph == FT_N_GRAPHS)
            return false;
        if (!c->opts.graph)
            c->graph = graph;
    } else if (strcmp(name, "bell") == 0) {
        if (n < 0 || n > (FT_BELL_DOWN | FT_BELL_OVERTIME))
            return false;
        if (!c->opts.bell)
            c->bell_on = (unsigned)n;
    } else if (strcmp(name, "message_ms") == 0) {
        if (n < 0 || n > 3600000)
            return false;
        if (!c->opts.message_ms)
            c->stay_ms = (int)n;
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
