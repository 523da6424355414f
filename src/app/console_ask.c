/*
 * The questions of the screens, answered in the worker's thread: a table of functions, each from one JSON object to
 * another (feed.h names the members).
 */
#include "console_ask.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "case_why.h"
#include "fraudtop/log.h"
#include "review.h"

typedef enum ft_status ask_fn(struct ft_console *c, const cJSON *args, cJSON *out,
                              struct ft_err *err);

/* ---- arguments ------------------------------------------------------------------------------------------ */

double ft_ask_number(const cJSON *o, const char *name, double otherwise)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, name);

    return cJSON_IsNumber(v) ? v->valuedouble : otherwise;
}

const char *ft_ask_word(const cJSON *o, const char *name)
{
    const char *v = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, name));

    return v && *v ? v : NULL;
}

bool ft_ask_true(const cJSON *o, const char *name)
{
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(o, name));
}

static enum ft_status retry(struct ft_console *c, const cJSON *args, cJSON *out, struct ft_err *err)
{
    (void)args;
    (void)out;
    (void)err;
    atomic_store(&c->retry, true);
    return FT_OK;
}

/* ---- cases ---------------------------------------------------------------------------------------------- */

/* The worker's own handle, opened when it is needed and again after trouble. */
static enum ft_status cases(struct ft_console *c, struct ft_cases **out, struct ft_err *err)
{
    struct ft_cases_opts opts = ft_console_cases(c);
    enum ft_status st = FT_OK;

    if (!c->cases)
        st = ft_cases_open(&c->cases, &opts, 2000, err);
    *out = c->cases;
    return st;
}

/* Takes the members of a JSON text over into out. */
static enum ft_status give(cJSON *out, char *json, enum ft_status st)
{
    cJSON *o = st == FT_OK ? cJSON_Parse(json) : NULL;

    while (o && o->child) {
        cJSON *member = cJSON_DetachItemViaPointer(o, o->child);

        cJSON_AddItemToObject(out, member->string, member);
    }
    cJSON_Delete(o);
    free(json);
    return st;
}

static enum ft_status queue(struct ft_console *c, const cJSON *args, cJSON *out, struct ft_err *err)
{
    struct ft_case_query q = {.filter = ft_ask_word(args, "filter"),
                              .sort = ft_ask_word(args, "sort"),
                              .reverse = ft_ask_true(args, "reverse"),
                              .limit = (size_t)ft_ask_number(args, "limit", 500)};
    char *json = NULL;
    struct ft_cases *s;
    enum ft_status st = cases(c, &s, err);

    if (st == FT_OK)
        st = ft_cases_list(s, &q, &json, err);
    return give(out, json, st);
}

static const struct ft_scorer *scorer_of(struct ft_console *c, const cJSON *o)
{
    const char *model = ft_ask_word(o, "model");

    return model ? ft_pipeline_scorer_of(c->pipeline, model) : NULL;
}

static enum ft_status case_show(struct ft_console *c, const cJSON *args, cJSON *out,
                                struct ft_err *err)
{
    const char *id = ft_ask_word(args, "transaction_id");
    char *json = NULL;
    struct ft_cases *s;
    enum ft_status st = cases(c, &s, err);

    if (st == FT_OK)
        st = ft_cases_show(s, id ? id : "", &json, err);
    st = give(out, json, st);
    if (st == FT_OK)
        ft_case_why(out, scorer_of(c, out));
    return st;
}

/* changes: {column: text}, one of them; what was asked before stays on the screen, not here. */
static enum ft_status what_if(struct ft_console *c, const cJSON *args, cJSON *out,
                              struct ft_err *err)
{
    const cJSON *changes = cJSON_GetObjectItemCaseSensitive(args, "changes");
    const cJSON *change = changes ? changes->child : NULL;
    cJSON *o = cJSON_CreateObject();
    enum ft_status st = case_show(c, args, o, err);

    if (st == FT_OK && (!change || !cJSON_IsString(change)))
        st = ft_fail(err, FT_EUSAGE, "which value, and changed to what?");
    if (st == FT_OK)
        st = ft_case_what_if(o, scorer_of(c, o), change->string, change->valuestring, out, err);
    cJSON_Delete(o);
    return st;
}

static int64_t until(const char *text)
{
    char *end;
    double n = text ? strtod(text, &end) : 0;
    double unit = n <= 0 ? 0 : *end == 'd' ? 86400e3 : *end == 'm' ? 60e3 : 3600e3;

    return unit > 0 ? ft_wall_ms() + (int64_t)(n * unit) : 0;
}

/* Each transaction on its own: one that somebody else was first with holds up no other. */
static enum ft_status decide(struct ft_console *c, const cJSON *args, cJSON *out,
                             struct ft_err *err)
{
    const cJSON *ids = cJSON_GetObjectItemCaseSensitive(args, "transaction_ids"), *id;
    const cJSON *number_of = cJSON_GetObjectItemCaseSensitive(args, "numbers");
    cJSON *refused = cJSON_AddArrayToObject(out, "refused");
    struct ft_cases *s;
    enum ft_status st = cases(c, &s, err);
    int decided = 0, i = 0;

    cJSON_ArrayForEach(id, ids)
    {
        const cJSON *seen = cJSON_GetArrayItem(number_of, i++);
        struct ft_case_decision d = {.id = cJSON_GetStringValue(id),
                                     .number = cJSON_IsNumber(seen) ? seen->valueint : -1,
                                     .verdict = ft_ask_word(args, "verdict"),
                                     .reason = ft_ask_word(args, "reason"),
                                     .note = ft_ask_word(args, "note"),
                                     .until_ms = until(ft_ask_word(args, "until"))};
        char *json = NULL;

        if (st != FT_OK || !d.id)
            break;
        st = ft_cases_decide(s, &d, &json, err);
        free(json);
        if (st == FT_ECONFLICT) {
            cJSON *o = cJSON_CreateObject();

            cJSON_AddStringToObject(o, "transaction_id", d.id);
            cJSON_AddStringToObject(o, "error", err->text);
            cJSON_AddItemToArray(refused, o);
            st = FT_OK;
        } else if (st == FT_OK) {
            decided++;
        }
    }
    cJSON_AddNumberToObject(out, "decided", decided);
    cJSON_AddBoolToObject(out, "unsure", st != FT_OK && ft_cases_unsure(s));
    if (st == FT_OK && decided == 0 && cJSON_GetArraySize(refused) == 1)
        return FT_ECONFLICT; /* err says who was first */
    return st;
}

static enum ft_status undo(struct ft_console *c, const cJSON *args, cJSON *out, struct ft_err *err)
{
    char *json = NULL;
    struct ft_cases *s;
    enum ft_status st = cases(c, &s, err);

    if (st == FT_OK)
        st = ft_cases_undo(s, ft_ask_word(args, "note"), &json, err);
    return give(out, json, st);
}

static enum ft_status claim(struct ft_console *c, const cJSON *args, cJSON *out, struct ft_err *err)
{
    bool on = ft_ask_true(args, "claim");
    const char *id = ft_ask_word(args, "transaction_id");
    char *json = NULL;
    struct ft_cases *s;
    enum ft_status st = cases(c, &s, err);

    if (st == FT_OK)
        st = ft_cases_claim(s, id ? id : "", on, &json, err);
    return give(out, json, st);
}

static enum ft_status next(struct ft_console *c, const cJSON *args, cJSON *out, struct ft_err *err)
{
    char *json = NULL;
    struct ft_cases *s;
    enum ft_status st = cases(c, &s, err);

    (void)args;
    if (st == FT_OK)
        st = ft_cases_next(s, true, &json, err);
    if (st == FT_END)
        return FT_OK; /* {}: nothing is free */
    return give(out, json, st);
}

static enum ft_status note(struct ft_console *c, const cJSON *args, cJSON *out, struct ft_err *err)
{
    const char *id = ft_ask_word(args, "transaction_id"), *text = ft_ask_word(args, "note");
    char *json = NULL;
    struct ft_cases *s;
    enum ft_status st = cases(c, &s, err);

    if (st == FT_OK)
        st = ft_cases_note(s, id ? id : "", text ? text : "", &json, err);
    return give(out, json, st);
}

static enum ft_status threshold(struct ft_console *c, const cJSON *args, cJSON *out,
                                struct ft_err *err)
{
    char *json = NULL;
    struct ft_cases *s;
    enum ft_status st = cases(c, &s, err);

    if (st == FT_OK)
        st = ft_cases_histograms(s, (int)ft_ask_number(args, "hours", 24), &json, err);
    return give(out, json, st);
}

/* Into force for all scorers through the control topic; the sinks copy it into the database, note and name included. */
static enum ft_status apply(struct ft_console *c, const cJSON *args, cJSON *out, struct ft_err *err)
{
    const char *kind = cJSON_HasObjectItem(args, "sample") ? "sample" : "threshold";
    double v = ft_ask_number(args, kind, (double)NAN);
    const char *note = ft_ask_word(args, "note");
    char json[1400];
    enum ft_status st;

    if (c->read_only)
        return ft_fail(err, FT_EUSAGE, "read only: nothing can be applied");
    if (!(v >= 0 && v <= 1))
        return ft_fail(err, FT_EUSAGE, "%s: a number from 0 to 1", kind);
    st = ft_in_force_json(c->app, kind, v, note ? note : "", json, sizeof(json), err);
    if (st == FT_OK)
        st =
            ft_control_put(c->pipeline->pipe.bus, &c->pipeline->pipe.topics, kind, json, 5000, err);
    cJSON_AddNumberToObject(out, kind, v);
    return st;
}

static enum ft_status stats(struct ft_console *c, const cJSON *args, cJSON *out, struct ft_err *err)
{
    char *json = NULL;
    struct ft_cases *s;
    enum ft_status st = cases(c, &s, err);

    (void)args;
    if (st == FT_OK)
        st = ft_cases_stats(s, &json, err);
    return give(out, json, st);
}

static enum ft_status handover(struct ft_console *c, const cJSON *args, cJSON *out,
                               struct ft_err *err)
{
    int64_t since = until(ft_ask_word(args, "since"));
    char *json = NULL;
    struct ft_cases *s;
    enum ft_status st = cases(c, &s, err);
    char *text;

    if (st == FT_OK)
        st = ft_cases_handover(s, since ? 2 * ft_wall_ms() - since : ft_wall_ms() - 8 * 3600000,
                               &json, err);
    text = st == FT_OK
               ? ft_handover_text(json, ft_cfg_text(c->app->cfg, "display.merchant_strip_prefix"))
               : NULL;
    if (st == FT_OK && !text)
        st = ft_fail(err, FT_ENOMEM, "no memory for the handover");
    if (text)
        cJSON_AddStringToObject(out, "text", text);
    free(text);
    free(json);
    return st;
}

/* ---- the log: this program's lines and what is in the database, newest first ------------------------------ */

static const char *const level_name[] = {"error", "warning", "info", "debug"};

static void own_lines(cJSON *entries)
{
    static const size_t most = 200;
    struct ft_log_line *line = calloc(most, sizeof(*line));
    size_t n = line ? ft_log_recent(line, most) : 0;

    while (n--) {
        cJSON *o = cJSON_CreateObject();
        char at[40];
        time_t s = (time_t)(line[n].wall_ms / 1000);
        struct tm tm;

        gmtime_r(&s, &tm);
        strftime(at, sizeof(at), "%Y-%m-%dT%H:%M:%SZ", &tm);
        cJSON_AddStringToObject(o, "at", at);
        cJSON_AddStringToObject(o, "part", line[n].part);
        cJSON_AddStringToObject(o, "level", level_name[line[n].level]);
        cJSON_AddStringToObject(o, "text", line[n].text);
        cJSON_AddItemToArray(entries, o);
    }
    free(line);
}

/* Both lists are newest first already: merged by time, as text (ISO 8601 sorts). */
static void merge(cJSON *into, cJSON *a, cJSON *b)
{
    while (cJSON_GetArraySize(a) || cJSON_GetArraySize(b)) {
        cJSON *x = cJSON_GetArrayItem(a, 0), *y = cJSON_GetArrayItem(b, 0);
        const char *tx = x ? ft_ask_word(x, "at") : NULL, *ty = y ? ft_ask_word(y, "at") : NULL;
        bool first = x && (!y || strcmp(tx ? tx : "", ty ? ty : "") >= 0);

        cJSON_AddItemToArray(into, cJSON_DetachItemFromArray(first ? a : b, 0));
    }
}

static enum ft_status log_lines(struct ft_console *c, const cJSON *args, cJSON *out,
                                struct ft_err *err)
{
    cJSON *entries = cJSON_AddArrayToObject(out, "entries"), *own = cJSON_CreateArray(),
          *theirs = NULL, *o = NULL;
    char *json = NULL;
    struct ft_cases *s;
    enum ft_status st = cases(c, &s, err);

    if (st == FT_OK)
        st = ft_cases_log(s, (size_t)ft_ask_number(args, "limit", 200), 0, &json, err);
    if (st == FT_OK) {
        o = cJSON_Parse(json);
        theirs = cJSON_GetObjectItemCaseSensitive(o, "entries");
    }
    own_lines(own);
    merge(entries, own, theirs);
    cJSON_Delete(own);
    cJSON_Delete(o);
    free(json);
    return FT_OK; /* without the database, what this program said */
}

/* ---- the table ------------------------------------------------------------------------------------------ */

static const struct {
    ask_fn *run;
    int lane;
} table[] = {
    [FT_ASK_REPLAY_START] = {ft_ask_replay_start, FT_LANE_OTHER   },
    [FT_ASK_REPLAY_PAUSE] = {ft_ask_replay_pause, FT_LANE_OTHER   },
    [FT_ASK_REPLAY_STOP] = {ft_ask_replay_stop,  FT_LANE_OTHER   },
    [FT_ASK_REPLAY_RATE] = {ft_ask_replay_rate,  FT_LANE_OTHER   },
    [FT_ASK_RETRY] = {retry,               FT_LANE_OTHER   },
    [FT_ASK_FILES] = {ft_ask_files,        FT_LANE_OTHER   },
    [FT_ASK_REJECTS] = {ft_ask_rejects,      FT_LANE_OTHER   },
    [FT_ASK_QUEUE] = {queue,               FT_LANE_DATABASE},
    [FT_ASK_CASE] = {case_show,           FT_LANE_DATABASE},
    [FT_ASK_DECIDE] = {decide,              FT_LANE_DATABASE},
    [FT_ASK_UNDO] = {undo,                FT_LANE_DATABASE},
    [FT_ASK_CLAIM] = {claim,               FT_LANE_DATABASE},
    [FT_ASK_NEXT] = {next,                FT_LANE_DATABASE},
    [FT_ASK_NOTE] = {note,                FT_LANE_DATABASE},
    [FT_ASK_WHAT_IF] = {what_if,             FT_LANE_DATABASE},
    [FT_ASK_THRESHOLD] = {threshold,           FT_LANE_DATABASE},
    [FT_ASK_APPLY] = {apply,               FT_LANE_OTHER   },
    [FT_ASK_PARTITIONS] = {ft_ask_partitions,   FT_LANE_OTHER   },
    [FT_ASK_TOPICS] = {ft_ask_topics,       FT_LANE_OTHER   },
    [FT_ASK_MESSAGES] = {ft_ask_messages,     FT_LANE_OTHER   },
    [FT_ASK_LOG] = {log_lines,           FT_LANE_DATABASE},
    [FT_ASK_EXPORT] = {ft_ask_export,       FT_LANE_EXPORT  },
    [FT_ASK_STATS] = {stats,               FT_LANE_DATABASE},
    [FT_ASK_HANDOVER] = {handover,            FT_LANE_DATABASE},
};
#define N_TABLE (sizeof(table) / sizeof(table[0]))

bool ft_ask_known(enum ft_ask_kind kind)
{
    return (size_t)kind < N_TABLE && table[kind].run;
}

int ft_ask_lane(enum ft_ask_kind kind)
{
    return table[kind].lane;
}

void ft_ask_do(struct ft_console *c, struct ft_job *job)
{
    cJSON *args = cJSON_Parse(job->args ? job->args : "{}");
    cJSON *out = cJSON_CreateObject();
    struct ft_err err = {""};
    enum ft_status st;

    st = args && out ? table[job->answer.kind].run(c, args, out, &err)
                     : ft_fail(&err, FT_EINPUT, "the question cannot be read");
    if (st == FT_EUNREACHABLE && ft_ask_lane(job->answer.kind) == FT_LANE_DATABASE) {
        /* the next question tries anew */
        ft_cases_close(c->cases);
        c->cases = NULL;
    }
    job->answer.ok = st == FT_OK;
    snprintf(job->answer.error, sizeof(job->answer.error), "%s", err.text);
    job->answer.json = cJSON_PrintUnformatted(out);
    cJSON_Delete(args);
    cJSON_Delete(out);
}

void ft_ask_fini(struct ft_console *c, int lane)
{
    if (lane == FT_LANE_DATABASE) {
        ft_cases_close(c->cases);
        c->cases = NULL;
    } else if (lane == FT_LANE_OTHER) { /* every worker comes by here */
        ft_replay_fini(c);
    }
}
