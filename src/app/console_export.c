/*
 * What a filter shows, all of it, from a cursor into a file.  A worker and a connection of its own, so that a long export
 * holds up no decision.  The file is called PATH.part until it is whole, and stays so when the disk is full.
 */
#include <cjson/cJSON.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "case_export.h"
#include "console_ask.h"
#include "fraudtop/journal.h"
#include "fraudtop/text.h"

#define SAY_MS 1000

struct job {
    struct ft_case_export e;
    struct ft_console *c;
    int64_t said_ms;
};

static enum ft_status row(void *user, const char *json, struct ft_err *err)
{
    struct job *j = user;
    enum ft_status st = ft_case_export_row(&j->e, json, err);
    int64_t now = ft_now_ms();
    char text[80], n[32];

    if (j->c->stop)
        return FT_ESTOPPED;
    if (now - j->said_ms < SAY_MS)
        return st;
    j->said_ms = now;
    ft_fmt_count(n, sizeof(n), j->e.rows);
    snprintf(text, sizeof(text), "Exporting: %s rows so far.", n);
    ft_console_say(j->c, false, text);
    return st;
}

static enum ft_status write_rows(struct job *j, const struct ft_case_query *q, bool hide,
                                 const char *part, struct ft_err *err)
{
    struct ft_cases_opts opts = ft_console_cases(j->c);
    struct ft_cases *s = NULL;
    enum ft_status st;

    opts.read_only = true;
    opts.hide = hide;
    st = ft_cases_open(&s, &opts, 2000, err);
    if (st == FT_OK)
        ft_case_export_head(&j->e);
    if (st == FT_OK)
        st = ft_cases_each(s, q, row, j, err);
    ft_cases_close(s);
    if (st == FT_ESTOPPED)
        return ft_fail(err, st, "stopped; what was written is kept as %s", part);
    if (st == FT_OK && (fflush(j->e.out) != 0 || fsync(fileno(j->e.out)) != 0))
        st = ft_fail(err, FT_EIO, "%s", strerror(errno));
    if (st == FT_EIO)
        ft_err_prefix(err, "what was written is kept as %s", part);
    return st;
}

enum ft_status ft_ask_export(struct ft_console *c, const cJSON *args, cJSON *out,
                             struct ft_err *err)
{
    const char *path = ft_ask_word(args, "path"), *format = ft_ask_word(args, "format");
    struct ft_case_query q = {.filter = ft_ask_word(args, "filter"),
                              .sort = ft_ask_word(args, "sort"),
                              .reverse = ft_ask_true(args, "reverse"),
                              .all = ft_ask_true(args, "all")};
    bool csv = format && strcmp(format, "csv") == 0;
    struct job j = {
        .e = {.csv = csv, .spreadsheet = csv},
          .c = c, .said_ms = ft_now_ms()
    };
    char part[FT_PATH_MAX];
    enum ft_status st;

    if (!path || snprintf(part, sizeof(part), "%s.part", path) >= (int)sizeof(part))
        return ft_fail(err, FT_EUSAGE, "where to?");
    j.e.out = fopen(part, "r+"); /* made by whoever asks, so that nothing is overwritten */
    if (!j.e.out)
        return ft_fail(err, FT_EIO, "%s: %s", part, strerror(errno));
    st = write_rows(&j, &q, ft_ask_true(args, "mask"), part, err);
    if (fclose(j.e.out) != 0 && st == FT_OK)
        st = ft_fail(err, FT_EIO, "%s: %s; what was written is kept", part, strerror(errno));
    if (st == FT_OK && rename(part, path) != 0)
        st = ft_fail(err, FT_EIO, "%s: %s", part, strerror(errno));
    if (st != FT_OK)
        return st;
    cJSON_AddStringToObject(out, "path", path);
    cJSON_AddNumberToObject(out, "rows", (double)j.e.rows);
    return FT_OK;
}
