/* fraudtop cases ...: the review queue for scripts, and for those who read line by line. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "case_export.h"
#include "case_why.h"
#include "fraudtop/text.h"
#include "review.h"

struct cases {
    struct ft_app *app;
    struct ft_review r;
    const char *strip;
    struct ft_scorer *scorer; /* of the case that was shown last */
    int status;               /* exit status when all went well but for what was said already */
};

/* ---- printing ------------------------------------------------------------------------------------------ */

static void cell(const char *text, int cols)
{
    char cut[400];
    int width;

    ft_text_cut(cut, sizeof(cut), ft_span_of(text), cols, true);
    width = ft_text_width(ft_span_of(cut));
    printf("%s%*s", cut, width < cols ? cols - width + 1 : 1, "");
}

static void amount_cell(const cJSON *o, int cols)
{
    struct ft_shown s;
    char text[48];

    ft_fmt_amount(text, sizeof(text), ft_span_of(ft_answer_text(&s, o, "amount")));
    printf("%*s ", cols, *text ? text : "?");
}

static void waiting_cell(const cJSON *o)
{
    struct ft_shown s;
    struct ft_time t;
    char text[24] = "";

    if (ft_parse_time((struct ft_span){ft_answer_text(&s, o, "arrived"), 19}, &t))
        ft_fmt_age(text, sizeof(text), ft_wall_ms() - t.unix_s * 1000);
    printf("%10s ", text);
}

static void print_case_line(const struct cases *c, const cJSON *o)
{
    struct ft_shown s;

    printf("%-36s ", ft_answer_text(&s, o, "transaction_id"));
    printf("%.3f ", ft_answer_number(o, "score"));
    amount_cell(o, 11);
    waiting_cell(o);
    cell(ft_answer_text(&s, o, "status"), 10);
    cell(ft_answer_text(&s, o, "claimed_by"), 8);
    cell(ft_answer_merchant(&s, o, c->strip), 22);
    cell(ft_answer_text(&s, o, "category"), 14);
    cell(ft_answer_text(&s, o, "state"), 2);
    cell(ft_answer_customer(&s, o), 16);
    printf("%s\n", ft_answer_text(&s, o, "why"));
}

static void print_list(const struct cases *c, const cJSON *o)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(o, "cases"), *k;
    double total = ft_answer_number(o, "total");

    if (cJSON_GetArraySize(list))
        printf("%-36s SCORE %11s %10s %-10s %-8s %-22s %-14s ST %-16s WHY\n", "ID", "AMOUNT",
               "WAITING", "STATUS", "CLAIMED", "MERCHANT", "CATEGORY", "CUSTOMER");
    cJSON_ArrayForEach(k, list) print_case_line(c, k);
    if (!c->app->quiet)
        fprintf(stderr, "%d of %.0f%s\n", cJSON_GetArraySize(list), total,
                total >= 10000 ? " or more" : "");
}

static void print_member(const cJSON *o, const char *name, const char *label)
{
    struct ft_shown s;

    if (*ft_answer_text(&s, o, name))
        printf("%-11s %s\n", label, s.text);
}

static void print_reasons(const cJSON *o)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(o, "reasons"),
                *others = cJSON_GetObjectItemCaseSensitive(o, "others"), *k;
    struct ft_shown s;
    char value[256];

    if (others)
        printf("\nwhy: base %+.3f, raw score %+.3f\n", ft_answer_number(o, "base"),
               ft_answer_number(o, "raw"));
    else
        printf("\nwhy%s\n", cJSON_GetArraySize(list) ? ": the strongest reasons"
                                                     : ": the verdict came without reasons");
    cJSON_ArrayForEach(k, list)
    {
        printf("  %+7.3f  ", ft_answer_number(k, "contribution"));
        cell(ft_answer_text(&s, k, "feature"), 20);
        ft_fmt_value(value, sizeof(value), ft_answer_text(&s, k, "value"));
        cell(value, 16);
        printf("%s\n", ft_answer_text(&s, k, "text"));
    }
    if (others)
        printf("  %+7.3f  %.0f other features together\n", ft_answer_number(others, "contribution"),
               ft_answer_number(others, "n"));
}

static void print_others(const struct cases *c, const cJSON *o, const char *name, const char *title)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(o, name), *k;

    if (cJSON_GetArraySize(list) == 0)
        return;
    printf("\n%s\n", title);
    cJSON_ArrayForEach(k, list) print_case_line(c, k);
}

/* What the scorer remembered of the customer before this transaction; nothing without a model that keeps it. */
static void print_usual(const cJSON *o)
{
    const cJSON *usual = cJSON_GetObjectItemCaseSensitive(o, "usual");
    struct ft_shown s;

    if (!(ft_answer_number(usual, "count") > 0))
        return;
    printf("\nbefore, %.0f transactions since %s, %.0f %% at night\n",
           ft_answer_number(usual, "count"), ft_answer_text(&s, usual, "first"),
           100 * ft_answer_number(usual, "night_share"));
    printf("  usual %.2f, deviation %.2f, largest %.2f\n", ft_answer_number(usual, "mean"),
           ft_answer_number(usual, "std"), ft_answer_number(usual, "max"));
}

/* The last ones, newest first. */
static void print_history(const struct cases *c, const cJSON *o)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(o, "history");
    struct ft_shown s;

    for (int i = cJSON_GetArraySize(list) - 1; i >= 0; i--) {
        const cJSON *one = cJSON_GetArrayItem(list, i);

        printf("  %s ", ft_answer_text(&s, one, "time"));
        amount_cell(one, 11);
        printf("%.3f ", ft_answer_number(one, "score"));
        cell(ft_answer_text(&s, one, "category"), 14);
        printf("%s\n", ft_answer_merchant(&s, one, c->strip));
    }
}

static void print_events(const cJSON *o)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(o, "events"), *k;
    struct ft_shown s;

    if (cJSON_GetArraySize(list))
        puts("\nnotes and decisions");
    cJSON_ArrayForEach(k, list)
    {
        printf("  %s ", ft_answer_text(&s, k, "at"));
        cell(ft_answer_text(&s, k, "by"), 10);
        cell(ft_answer_text(&s, k, "kind"), 10);
        if (*ft_answer_text(&s, k, "reason"))
            printf("%s ", s.text);
        if (*ft_answer_text(&s, k, "until"))
            printf("until %s ", s.text);
        printf("%s\n", ft_answer_text(&s, k, "note"));
    }
}

static void print_case(const struct cases *c, const cJSON *o)
{
    const cJSON *data = cJSON_GetObjectItemCaseSensitive(o, "data"), *k;
    struct ft_shown s;
    char score[32];

    printf("%-11s %s\n", "id", ft_answer_text(&s, o, "transaction_id"));
    ft_fmt_double(score, sizeof(score), ft_answer_number(o, "score"));
    printf("%-11s %s", "score", score);
    if (!isnan(ft_answer_number(o, "threshold")))
        printf(" (threshold %.15g)", ft_answer_number(o, "threshold"));
    putchar('\n');
    print_member(o, "status", "status");
    print_member(o, "claimed_by", "claimed by");
    print_member(o, "snoozed_until", "until");
    print_member(o, "amount", "amount");
    print_member(o, "event", "event");
    print_member(o, "arrived", "arrived");
    if (*ft_answer_merchant(&s, o, c->strip))
        printf("%-11s %s\n", "merchant", s.text);
    if (*ft_answer_customer(&s, o))
        printf("%-11s %s\n", "customer", s.text);
    print_member(o, "model", "model");
    print_member(o, "label", "label");
    if (!isnan(ft_answer_number(o, "distance_km")))
        printf("%-11s %.0f km from home\n", "distance", ft_answer_number(o, "distance_km"));
    if (cJSON_GetArraySize(data))
        puts("\ndata");
    cJSON_ArrayForEach(k, data)
        printf("  %-18s %s\n", k->string, ft_answer_text(&s, data, k->string));
    print_reasons(o);
    print_usual(o);
    print_history(c, o);
    print_others(c, o, "customer", "same customer");
    print_others(c, o, "merchant_cases", "same merchant");
    print_events(o);
}

static void print_stats(const cJSON *o)
{
    const cJSON *today = cJSON_GetObjectItemCaseSensitive(o, "today");
    const cJSON *waiting = cJSON_GetObjectItemCaseSensitive(o, "waiting_s");
    double oldest = ft_answer_number(o, "oldest_s"), median = ft_answer_number(waiting, "median");
    char a[32] = "-", b[32] = "-";

    printf("open %.0f   claimed %.0f   over time %.0f   snoozed %.0f   escalated %.0f\n",
           ft_answer_number(o, "open"), ft_answer_number(o, "claimed"),
           ft_answer_number(o, "over_limit"), ft_answer_number(o, "snoozed"),
           ft_answer_number(o, "escalated"));
    if (!isnan(oldest))
        ft_fmt_age(a, sizeof(a), (int64_t)(oldest * 1000));
    printf("oldest %s\n", a);
    printf("decided today %.0f: fraud %.0f, legitimate %.0f, escalated %.0f\n",
           ft_answer_number(o, "decided_today"), ft_answer_number(today, "fraud"),
           ft_answer_number(today, "legitimate"), ft_answer_number(today, "escalated"));
    snprintf(a, sizeof(a), "-");
    if (!isnan(median)) {
        ft_fmt_age(a, sizeof(a), (int64_t)(median * 1000));
        ft_fmt_age(b, sizeof(b), (int64_t)(ft_answer_number(waiting, "p95") * 1000));
    }
    printf("waiting to the first decision: median %s, 95 %% within %s (%.0f cases)\n", a, b,
           ft_answer_number(waiting, "n"));
}

static void print_log(const cJSON *o)
{
    const cJSON *k;
    struct ft_shown s;

    cJSON_ArrayForEach(k, cJSON_GetObjectItemCaseSensitive(o, "entries"))
    {
        printf("%s ", ft_answer_text(&s, k, "at"));
        cell(ft_answer_text(&s, k, "part"), 8);
        cell(ft_answer_text(&s, k, "by"), 10);
        if (*ft_answer_text(&s, k, "transaction_id"))
            printf("%s ", s.text);
        printf("%s\n", ft_answer_text(&s, k, "text"));
    }
}

/* ---- the words ----------------------------------------------------------------------------------------- */

static enum ft_status query_from(const struct cases *c, struct ft_case_query *q, struct ft_err *err)
{
    const struct ft_config *cfg = c->app->cfg;

    *q = (struct ft_case_query){.filter = ft_cfg_text(cfg, "list.filter"),
                                .sort = ft_cfg_text(cfg, "list.sort"),
                                .all = ft_cfg_flag(cfg, "list.all"),
                                .limit = (size_t)ft_cfg_int(cfg, "list.limit")};
    return ft_review_time(ft_cfg_text(cfg, "list.since"), false, &q->since_ms, err);
}

/* The answer as it is with --json, else as text by print. */
static enum ft_status print_answer(const struct cases *c, char *json,
                                   void (*print)(const struct cases *c, const cJSON *o),
                                   struct ft_err *err)
{
    cJSON *o;

    if (c->app->json) {
        ft_print_json(stdout, json);
        free(json);
        return FT_OK;
    }
    o = cJSON_Parse(json);
    free(json);
    if (!o)
        return ft_fail(err, FT_ENOMEM, "no memory for the answer");
    print(c, o);
    cJSON_Delete(o);
    return FT_OK;
}

static void as_stats(const struct cases *c, const cJSON *o)
{
    (void)c;
    print_stats(o);
}

static void as_log(const struct cases *c, const cJSON *o)
{
    (void)c;
    print_log(o);
}

static void as_done(const struct cases *c, const cJSON *o)
{
    struct ft_shown id, verdict;

    if (!c->app->quiet)
        printf("%s %s\n", ft_answer_text(&id, o, "transaction_id"),
               ft_answer_text(&verdict, o, "verdict"));
}

static enum ft_status do_list(struct cases *c, struct ft_err *err)
{
    struct ft_case_query q;
    char *json;
    enum ft_status st = query_from(c, &q, err);

    if (st == FT_OK)
        st = ft_cases_list(c->r.cases, &q, &json, err);
    return st == FT_OK ? print_answer(c, json, print_list, err) : st;
}

/* The model of a verdict, where it is among those here; it is kept, as the next case often has the same. */
static const struct ft_scorer *scorer_of(struct cases *c, const char *model)
{
    char name[128];

    if (!model || (c->scorer && ft_scorer_is(c->scorer, model)))
        return model ? c->scorer : NULL;
    ft_scorer_free(c->scorer);
    c->scorer = NULL;
    if (ft_model_name(model, name, sizeof(name)))
        (void)!ft_scorer_load(&c->scorer, name, c->app->data_dir, false, NULL);
    return c->scorer;
}

/* Completed by the model of the verdict. */
static enum ft_status print_whole_case(struct cases *c, char *json, struct ft_err *err)
{
    cJSON *o = cJSON_Parse(json);
    const struct ft_scorer *s =
        scorer_of(c, cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, "model")));
    char *whole;

    if (s) {
        ft_case_why(o, s);
        whole = cJSON_PrintUnformatted(o);
        if (whole) {
            free(json);
            json = whole;
        }
    }
    cJSON_Delete(o);
    return print_answer(c, json, print_case, err);
}

static enum ft_status do_next(struct cases *c, struct ft_err *err)
{
    char *json;
    enum ft_status st = ft_cases_next(c->r.cases, ft_cases_can_write(c->r.cases), &json, err);

    if (st == FT_END) {
        if (c->app->json)
            puts("{\"schema\":\"cases.show/1\",\"transaction_id\":null}");
        else if (!c->app->quiet)
            fprintf(stderr, "%s\n", err->text);
        return FT_OK;
    }
    return st == FT_OK ? print_whole_case(c, json, err) : st;
}

static enum ft_status do_show(struct cases *c, struct ft_err *err)
{
    char *json;
    enum ft_status st = FT_OK;

    for (size_t i = 1; i < c->app->n_args && st == FT_OK; i++) {
        st = ft_cases_show(c->r.cases, c->app->args[i], &json, err);
        if (st == FT_OK)
            st = print_whole_case(c, json, err);
    }
    return st;
}

/* cases decide ID... VERDICT: each for itself; what was refused does not undo what was written. */
static enum ft_status do_decide(struct cases *c, struct ft_err *err)
{
    const struct ft_config *cfg = c->app->cfg;
    struct ft_case_decision d = {.number = -1,
                                 .verdict = c->app->args[c->app->n_args - 1],
                                 .reason = ft_cfg_text(cfg, "review.reason"),
                                 .note = ft_cfg_text(cfg, "review.note")};
    enum ft_status st = ft_review_time(ft_cfg_text(cfg, "review.until"), true, &d.until_ms, err);
    int refused = 0;
    char *json;

    if (st == FT_OK && ft_cfg_flag(cfg, "review.note_required") && (!d.note || !*d.note))
        st = ft_fail(err, FT_EUSAGE, "a note is wanted with every decision (--note TEXT)");
    for (size_t i = 1; i + 1 < c->app->n_args && st == FT_OK; i++) {
        d.id = c->app->args[i];
        st = ft_cases_decide(c->r.cases, &d, &json, err);
        if (st == FT_OK)
            st = print_answer(c, json, as_done, err);
        if ((st == FT_ECONFLICT || st == FT_EINPUT) && i + 2 < c->app->n_args) {
            refused = ft_app_fail(c->app, st, err); /* the others are decided all the same */
            st = FT_OK;
        }
    }
    if (st == FT_OK)
        c->status = refused;
    return st;
}

static enum ft_status do_note(struct cases *c, struct ft_err *err)
{
    const char *note =
        c->app->n_args > 2 ? c->app->args[2] : ft_cfg_text(c->app->cfg, "review.note");
    char *json;
    enum ft_status st = ft_cases_note(c->r.cases, c->app->args[1], note, &json, err);

    return st == FT_OK ? print_answer(c, json, as_done, err) : st;
}

static enum ft_status do_undo(struct cases *c, struct ft_err *err)
{
    char *json;
    enum ft_status st =
        ft_cases_undo(c->r.cases, ft_cfg_text(c->app->cfg, "review.note"), &json, err);

    return st == FT_OK ? print_answer(c, json, as_done, err) : st;
}

static enum ft_status do_claim(struct cases *c, struct ft_err *err)
{
    bool claim = strcmp(c->app->args[0], "claim") == 0;
    char *json;
    enum ft_status st = ft_cases_claim(c->r.cases, c->app->args[1], claim, &json, err);

    return st == FT_OK ? print_answer(c, json, as_done, err) : st;
}

static enum ft_status do_stats(struct cases *c, struct ft_err *err)
{
    char *json;
    enum ft_status st = ft_cases_stats(c->r.cases, &json, err);

    return st == FT_OK ? print_answer(c, json, as_stats, err) : st;
}

static enum ft_status do_log(struct cases *c, struct ft_err *err)
{
    int64_t since;
    char *json;
    enum ft_status st = ft_review_time(ft_cfg_text(c->app->cfg, "list.since"), false, &since, err);

    if (st == FT_OK)
        st = ft_cases_log(c->r.cases, (size_t)ft_cfg_int(c->app->cfg, "list.limit"), since, &json,
                          err);
    return st == FT_OK ? print_answer(c, json, as_log, err) : st;
}

/* ---- export -------------------------------------------------------------------------------------------- */

static enum ft_status do_export(struct cases *c, struct ft_err *err)
{
    const struct ft_config *cfg = c->app->cfg;
    struct ft_case_export e = {.out = stdout,
                               .csv = !c->app->json &&
                                      strcmp(ft_cfg_text(cfg, "list.format"), "csv") == 0,
                               .spreadsheet = ft_cfg_flag(cfg, "list.spreadsheet")};
    struct ft_case_query q;
    enum ft_status st = query_from(c, &q, err);

    if (!ft_cfg_is_set(cfg, "list.limit"))
        q.limit = 0;
    if (st == FT_OK)
        ft_case_export_head(&e);
    if (st == FT_OK)
        st = ft_cases_each(c->r.cases, &q, ft_case_export_row, &e, err);
    if (st == FT_OK && fflush(e.out) != 0)
        st = ft_fail(err, FT_EIO, "export: %s", strerror(errno));
    return st;
}

/* ---- which word ---------------------------------------------------------------------------------------- */

static const struct {
    const char *name, *args;
    size_t min, max; /* words behind it */
    enum ft_status (*run)(struct cases *c, struct ft_err *err);
} words[] = {
    {"list",    "",              0, 0,    do_list  },
    {"next",    "",              0, 0,    do_next  },
    {"show",    "ID...",         1, 1000, do_show  },
    {"decide",  "ID... VERDICT", 2, 1000, do_decide},
    {"note",    "ID TEXT",       1, 2,    do_note  },
    {"undo",    "--note TEXT",   0, 0,    do_undo  },
    {"claim",   "ID",            1, 1,    do_claim },
    {"release", "ID",            1, 1,    do_claim },
    {"stats",   "",              0, 0,    do_stats },
    {"log",     "",              0, 0,    do_log   },
    {"export",  "",              0, 0,    do_export},
};
#define N_WORDS (sizeof(words) / sizeof(words[0]))

int ft_cmd_cases(struct ft_app *app)
{
    struct cases c = {.app = app, .strip = ft_cfg_text(app->cfg, "display.merchant_strip_prefix")};
    const char *word = app->n_args ? app->args[0] : "list";
    struct ft_err err = {""};
    enum ft_status st;
    size_t w = 0;

    while (w < N_WORDS && strcmp(words[w].name, word) != 0)
        w++;
    if (w == N_WORDS)
        return ft_app_usage(
            app,
            "cases: \"%.40s\"; there are list, next, show, decide, note, undo, claim, "
            "release, stats, log, export",
            word);
    if (app->n_args && (app->n_args - 1 < words[w].min || app->n_args - 1 > words[w].max))
        return ft_app_usage(app, "write: fraudtop cases %s%s%s", word, *words[w].args ? " " : "",
                            words[w].args);
    st = ft_review_open(&c.r, app, &err);
    if (st == FT_OK)
        st = words[w].run(&c, &err);
    ft_review_close(&c.r);
    ft_scorer_free(c.scorer);
    if (st == FT_OK && fflush(stdout) != 0)
        st = ft_fail(&err, FT_EIO, "standard output: %s", strerror(errno));
    return st == FT_OK ? c.status : ft_app_fail(app, st, &err);
}
