/*
 * The files that the Replay screen offers, with what the journals in the state folder know of their last run, and the
 * rows that a run rejected.
 */
#include <cjson/cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "console_ask.h"
#include "fraudtop/csv.h"
#include "fraudtop/journal.h"
#include "fraudtop/text.h"

#define MOST_FILES 500    /* of a folder, as many as the screen takes */
#define MOST_JOURNALS 100 /* the newest ones are looked at */
#define FRESH_MS 3000     /* a journal is written every second */

/* ---- the last run of each file -------------------------------------------------------------------------- */

struct run {
    struct ft_journal j;
    char id[FT_RUN_TEXT + 1];
};

struct runs {
    struct run *run; /* newest first */
    size_t n;
};

static int newest_first(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*b)->d_name, (*a)->d_name); /* names begin with the time of the start */
}

static int is_journal(const struct dirent *d)
{
    return strlen(d->d_name) == FT_RUN_TEXT + 5 && strcmp(d->d_name + FT_RUN_TEXT, ".json") == 0;
}

static void read_runs(struct runs *r, const char *state_dir)
{
    char path[FT_PATH_MAX];
    struct dirent **entry = NULL;
    int n;

    *r = (struct runs){0};
    snprintf(path, sizeof(path), "%s/runs", state_dir);
    n = scandir(path, &entry, is_journal, newest_first);
    if (n > 0)
        r->run = calloc(n < MOST_JOURNALS ? (size_t)n : MOST_JOURNALS, sizeof(*r->run));
    for (int i = 0; i < n; i++) {
        if (r->run && i < MOST_JOURNALS) {
            struct run *one = &r->run[r->n];

            snprintf(path, sizeof(path), "%s/runs/%s", state_dir, entry[i]->d_name);
            snprintf(one->id, sizeof(one->id), "%.*s", FT_RUN_TEXT, entry[i]->d_name);
            r->n += ft_journal_read(path, &one->j, NULL) == FT_OK;
        }
        free(entry[i]);
    }
    free(entry);
}

static const struct run *last_run(const struct runs *r, const char *path)
{
    for (size_t i = 0; i < r->n; i++)
        for (size_t k = 0; k < r->run[i].j.n_files; k++)
            if (strcmp(r->run[i].j.file[k], path) == 0)
                return &r->run[i];
    return NULL;
}

/* A heartbeat has the name as it was given, the journal the whole path. */
static bool is_file(const char *path, const char *given)
{
    return *given == '/' ? strcmp(path, given) == 0
                         : strcmp(ft_base_name(path), ft_base_name(given)) == 0;
}

/* Of a run over several files: the place of path behind the file that is read now; < 0: read already. */
static int place_in_run(const struct ft_journal *j, const char *path, const char *now)
{
    int at = 0, current = 0;

    for (int i = (int)j->n_files - 1; i >= 0; i--) {
        if (is_file(j->file[i], now))
            current = i;
        if (strcmp(j->file[i], path) == 0)
            at = i;
    }
    return at - current;
}

/* What is known of the runs, looked up once for a whole folder. */
struct seen {
    struct runs runs;
    struct ft_watch_run now;
    int ahead; /* files of the run that goes on, behind the one that is read */
};

static bool goes_on(const struct seen *s, const struct run *r)
{
    return r && s->now.active && strcmp(s->now.run, r->id) == 0;
}

static void look_at_runs(struct seen *s, struct ft_console *c)
{
    s->ahead = 0;
    ft_watch_run(c->watch, &s->now);
    read_runs(&s->runs, c->app->state_dir);
    for (size_t i = 0; i < s->runs.n; i++) {
        const struct ft_journal *j = &s->runs.run[i].j;

        if (goes_on(s, &s->runs.run[i]) && j->n_files)
            s->ahead = place_in_run(j, j->file[j->n_files - 1], s->now.file);
    }
}

/* last: NULL when it was never replayed.  A file that waits for its turn here may have been; the one that runs is said
 * to run. */
static void add_state(const struct ft_console *c, cJSON *o, const struct seen *s,
                      const struct run *last, const char *path)
{
    bool over = !last || last->j.done, running = goes_on(s, last);
    int place = running ? place_in_run(&last->j, path, s->now.file) : 0,
        waits = ft_replay_waits(c, path);
    const char *state = NULL;

    if (running)
        state = place > 0 ? "waiting" : place < 0 ? "read" : s->now.paused ? "paused" : "running";
    else if (!over && ft_wall_ms() - last->j.updated_ms < FRESH_MS)
        state = "running"; /* its first heartbeat is under way */
    else if (waits)
        state = "waiting";
    else if (!over)
        state = "stopped";
    if (!state)
        return;
    cJSON_AddStringToObject(o, "state", state);
    if (strcmp(state, "waiting") != 0)
        return;
    cJSON_AddNumberToObject(o, "place", running ? place : s->ahead + waits);
    cJSON_AddBoolToObject(o, "own", !running);
}

static void add_last_run(cJSON *o, const struct ft_journal *j, bool running)
{
    time_t s = (time_t)(j->updated_ms / 1000);
    char at[40];
    struct tm tm;

    gmtime_r(&s, &tm);
    strftime(at, sizeof(at), "%Y-%m-%dT%H:%M:%SZ", &tm);
    cJSON_AddStringToObject(o, "last_run", at);
    cJSON_AddBoolToObject(o, "rejects", j->rejected > 0);
    if (j->n_files > 1) /* its figures are of all files together */
        return;
    if (!running)
        cJSON_AddNumberToObject(o, "rejected", (double)j->rejected);
    if (j->done && !j->limit)
        cJSON_AddNumberToObject(o, "rows", (double)j->row);
}

/* ---- files ---------------------------------------------------------------------------------------------- */

static bool is_csv(const char *name)
{
    static const char *const ends[] = {".csv", ".csv.gz", ".csv.zst"};
    size_t n = strlen(name);

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        if (n > strlen(ends[i]) && strcmp(name + n - strlen(ends[i]), ends[i]) == 0)
            return true;
    return false;
}

/* Names that people give to the truth. */
static const char *const label_names[] = {"target", "label", "is_fraud",
                                          "fraud",  "class", "isFraud"};

/* Looks at the header: which label it has, or what is wrong with the file. */
static void look_inside(struct ft_console *c, const char *path, cJSON *o)
{
    struct ft_rows_opts ro = {.check = true};
    const struct ft_span *names;
    const char *label = NULL;
    struct ft_rows *r;
    struct ft_err err;
    size_t n;

    if (c->pipeline->scorer)
        ro.n_need = ft_scorer_columns(c->pipeline->scorer, &ro.need);
    if (ft_rows_open(&r, &path, 1, &ro, &err) != FT_OK) {
        size_t skip = strlen(path); /* the name stands beside it */

        skip = strncmp(err.text, path, skip) == 0 ? skip + strspn(err.text + skip, ": 1") : 0;
        cJSON_AddStringToObject(o, "error", err.text + skip);
        return;
    }
    n = ft_rows_header(r, &names);
    for (size_t k = 0; !label && k < sizeof(label_names) / sizeof(label_names[0]); k++)
        for (size_t i = 0; i < n; i++)
            if (ft_span_is(names[i], label_names[k]))
                label = label_names[k];
    cJSON_AddBoolToObject(o, "labels", label != NULL);
    if (label)
        cJSON_AddStringToObject(o, "label", label);
    ft_rows_close(r);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int not_hidden(const struct dirent *d)
{
    return d->d_name[0] != '.' || strcmp(d->d_name, "..") == 0;
}

static void add_file(struct ft_console *c, cJSON *list, const char *folder, const char *name,
                     const struct seen *seen)
{
    const struct run *last;
    struct stat st;
    char path[FT_PATH_MAX];
    cJSON *o;

    if (snprintf(path, sizeof(path), "%s/%s", strcmp(folder, "/") == 0 ? "" : folder, name) >=
            (int)sizeof(path) ||
        stat(path, &st) != 0)
        return;
    if (!S_ISDIR(st.st_mode) && !(S_ISREG(st.st_mode) && is_csv(name)))
        return;
    o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "name", name);
    cJSON_AddBoolToObject(o, "folder", S_ISDIR(st.st_mode));
    if (S_ISREG(st.st_mode)) {
        cJSON_AddNumberToObject(o, "size", (double)st.st_size);
        look_inside(c, path, o);
        last = last_run(&seen->runs, path);
        if (last)
            add_last_run(o, &last->j, goes_on(seen, last));
        add_state(c, o, seen, last, path);
    }
    cJSON_AddItemToArray(list, o);
}

enum ft_status ft_ask_files(struct ft_console *c, const cJSON *args, cJSON *out, struct ft_err *err)
{
    const char *want = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(args, "folder"));
    const char *name = want && *want ? want : ".";
    char *folder = realpath(name, NULL);
    cJSON *list = cJSON_AddArrayToObject(out, "files");
    struct dirent **entry = NULL;
    int n = folder ? scandir(folder, &entry, not_hidden, by_name) : -1;
    struct seen seen;

    if (n < 0) {
        ft_fail(err, FT_EIO, "%s: %s", name, strerror(errno));
        free(folder);
        return FT_EIO;
    }
    cJSON_AddStringToObject(out, "folder", folder);
    look_at_runs(&seen, c);
    for (int i = 0; i < n; i++) {
        if (cJSON_GetArraySize(list) < MOST_FILES && !c->stop)
            add_file(c, list, folder, entry[i]->d_name, &seen);
        free(entry[i]);
    }
    free(seen.runs.run);
    free(entry);
    free(folder);
    return FT_OK;
}

/* ---- rejected rows -------------------------------------------------------------------------------------- */

static void add_reject(cJSON *rows, const struct ft_csv_row *row)
{
    static const char *const member[] = {"line", "reason", "text"};
    cJSON *o = cJSON_CreateObject();

    for (size_t i = 0; i < row->n_fields && i < 3; i++) {
        char cell[512];

        snprintf(cell, sizeof(cell), "%.*s", (int)row->field[i].n, row->field[i].p);
        if (i == 0)
            cJSON_AddNumberToObject(o, member[i], strtod(cell, NULL));
        else
            cJSON_AddStringToObject(o, member[i], cell);
    }
    cJSON_AddItemToArray(rows, o);
}

/* Of the last run of a file, or else of the newest run. */
static void which_rejects(struct ft_console *c, const char *file, struct ft_watch_run *r)
{
    struct runs runs;
    const struct run *last;

    ft_watch_run(c->watch, r);
    if (!file)
        return;
    read_runs(&runs, c->app->state_dir);
    last = last_run(&runs, file);
    if (last && strcmp(last->id, r->run) != 0) { /* else the heartbeat is as new */
        snprintf(r->quarantine, sizeof(r->quarantine), "%s", last->j.quarantine);
        r->rejected = last->j.rejected;
    }
    free(runs.run);
}

/* The first rows of the quarantine file: its first MB is more than the screen holds. */
enum ft_status ft_ask_rejects(struct ft_console *c, const cJSON *args, cJSON *out,
                              struct ft_err *err)
{
    const cJSON *limit_given = cJSON_GetObjectItemCaseSensitive(args, "limit");
    size_t limit = cJSON_IsNumber(limit_given) ? (size_t)limit_given->valuedouble : 200;
    size_t size = 1 << 20, n = 0;
    cJSON *rows = cJSON_AddArrayToObject(out, "rows");
    struct ft_csv *csv;
    struct ft_csv_row row;
    struct ft_watch_run r;
    char *text;
    FILE *f;

    which_rejects(c, ft_ask_word(args, "file"), &r);
    cJSON_AddStringToObject(out, "path", r.quarantine);
    cJSON_AddNumberToObject(out, "total", (double)r.rejected);
    if (!r.quarantine[0] || !r.rejected)
        return FT_OK; /* no bad row yet */
    f = fopen(r.quarantine, "rb");
    if (!f)
        return ft_fail(err, FT_EIO, "%s: %s (the replay may run on another machine)", r.quarantine,
                       strerror(errno));
    text = malloc(size);
    csv = ft_csv_new(FT_CSV_MAX_ROW);
    if (text && csv) {
        ft_csv_feed(csv, text, fread(text, 1, size, f));
        ft_csv_finish(csv);
        while (n <= limit && ft_csv_next(csv, &row, NULL) == FT_CSV_ROW)
            if (n++) /* the first is the header */
                add_reject(rows, &row);
    }
    ft_csv_free(csv);
    free(text);
    fclose(f);
    return FT_OK;
}
