#include "review.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fraudtop/filter.h"
#include "fraudtop/text.h"

enum ft_status ft_review_open(struct ft_review *r, struct ft_app *app, struct ft_err *err)
{
    const struct ft_config *cfg = app->cfg;
    const char *database = ft_cfg_text(cfg, "service.database");
    struct ft_cases_opts opts = {
        .conninfo = database ? database : "",
        .who = ft_cfg_text(cfg, "review.as"),
        .read_only = ft_cfg_flag(cfg, "review.read_only"),
        .hide = strcmp(ft_cfg_text(cfg, "display.mask"), "off") != 0,
        .over_limit_ms = ft_cfg_ms(cfg, "review.time_limit"),
        .claim_ms = ft_cfg_ms(cfg, "review.claim"),
        .undo_ms = ft_cfg_ms(cfg, "review.undo"),
    };
    enum ft_status st = FT_OK;

    *r = (struct ft_review){.hide = opts.hide};
    if (!ft_app_has_database(app)) {
        struct ft_pg_opts po = {.state_dir = NULL};

        st = ft_pg_start(&r->pg, &po, err);
        if (st == FT_OK)
            opts.conninfo = ft_pg_conninfo(r->pg);
    }
    if (st == FT_OK)
        st = ft_cases_open(&r->cases, &opts, ft_app_connect_ms(app), err);
    if (st != FT_OK)
        ft_review_close(r);
    return st;
}

void ft_review_close(struct ft_review *r)
{
    ft_cases_close(r->cases);
    ft_pg_stop(r->pg);
    *r = (struct ft_review){0};
}

enum ft_status ft_review_time(const char *text, bool ahead, int64_t *ms, struct ft_err *err)
{
    struct ft_time t;
    int64_t age;

    *ms = 0;
    if (!text)
        return FT_OK;
    if (ft_parse_age(ft_span_of(text), &age)) {
        *ms = ft_wall_ms() + (ahead ? age : -age);
        return FT_OK;
    }
    if (ft_parse_time(ft_span_of(text), &t)) {
        *ms = t.unix_s * 1000;
        return FT_OK;
    }
    return ft_fail(err, FT_EUSAGE, "\"%.60s\" is no time: write 8h, 7d, or 2026-11-20T14:00Z",
                   text);
}

/* ---- showing ------------------------------------------------------------------------------------------ */

const char *ft_answer_text(struct ft_shown *to, const cJSON *o, const char *name)
{
    const cJSON *m = cJSON_GetObjectItemCaseSensitive(o, name);
    const char *text = cJSON_GetStringValue(m);

    to->text[0] = '\0';
    if (text)
        ft_text_clean(to->text, sizeof(to->text), ft_span_of(text));
    else if (cJSON_IsNumber(m))
        snprintf(to->text, sizeof(to->text), "%.15g", m->valuedouble);
    return to->text;
}

double ft_answer_number(const cJSON *o, const char *name)
{
    const cJSON *m = cJSON_GetObjectItemCaseSensitive(o, name);

    return cJSON_IsNumber(m) ? m->valuedouble : (double)NAN;
}

void ft_print_json(FILE *to, const char *json)
{
    bool quoted = false;

    for (const char *p = json; *p; p++) {
        if (quoted && *p == '\\' && p[1])
            putc(*p++, to);
        else if (*p == '"')
            quoted = !quoted;
        else if (!quoted && (*p == ' ' || *p == '\n'))
            continue;
        putc(*p, to);
    }
    putc('\n', to);
}

const char *ft_answer_customer(struct ft_shown *to, const cJSON *o)
{
    struct ft_shown first, last;

    ft_answer_text(&first, o, "name_1");
    ft_answer_text(&last, o, "name_2");
    snprintf(to->text, sizeof(to->text), "%.140s%s%.140s", first.text,
             *first.text && *last.text ? " " : "", last.text);
    return to->text;
}

const char *ft_answer_merchant(struct ft_shown *to, const cJSON *o, const char *strip_prefix)
{
    size_t n = strip_prefix ? strlen(strip_prefix) : 0;

    ft_answer_text(to, o, "merchant");
    if (n && strncmp(to->text, strip_prefix, n) == 0)
        memmove(to->text, to->text + n, strlen(to->text + n) + 1);
    return to->text;
}

/* ---- the handover ------------------------------------------------------------------------------------- */

static void add_amount(struct ft_buf *b, const cJSON *o, const char *name)
{
    struct ft_shown raw;
    char text[48];

    ft_answer_text(&raw, o, name);
    ft_fmt_amount(text, sizeof(text), ft_span_of(raw.text));
    ft_buf_text(b, text);
}

static void add_case(struct ft_buf *b, const cJSON *c, const char *strip_prefix)
{
    struct ft_shown s;

    ft_buf_fmt(b, "  %s  %.3f  ", ft_answer_text(&s, c, "transaction_id"),
               ft_answer_number(c, "score"));
    add_amount(b, c, "amount");
    ft_buf_fmt(b, "  %s", ft_answer_merchant(&s, c, strip_prefix));
}

static void add_escalated(struct ft_buf *b, const cJSON *o, const char *strip_prefix)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(o, "escalated"), *c;
    struct ft_shown s;

    ft_buf_fmt(b, "\nescalated: %d\n", cJSON_GetArraySize(list));
    cJSON_ArrayForEach(c, list)
    {
        add_case(b, c, strip_prefix);
        ft_buf_fmt(b, "\n      by %s", ft_answer_text(&s, c, "decided_by"));
        if (*ft_answer_text(&s, c, "note"))
            ft_buf_fmt(b, ": %s", s.text);
        ft_buf_char(b, '\n');
    }
}

static void add_snoozed(struct ft_buf *b, const cJSON *o, const char *strip_prefix)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(o, "snoozed"), *c;
    struct ft_shown s;

    ft_buf_fmt(b, "\nsnoozed: %d\n", cJSON_GetArraySize(list));
    cJSON_ArrayForEach(c, list)
    {
        add_case(b, c, strip_prefix);
        ft_buf_fmt(b, "  until %s\n", ft_answer_text(&s, c, "snoozed_until"));
    }
}

static void add_changes(struct ft_buf *b, const cJSON *o)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(o, "changes"), *c;
    struct ft_shown s;

    ft_buf_fmt(b, "\nthreshold, model and sample changes: %d\n", cJSON_GetArraySize(list));
    cJSON_ArrayForEach(c, list)
    {
        ft_buf_fmt(b, "  %s", ft_answer_text(&s, c, "at"));
        ft_buf_fmt(b, "  %s", ft_answer_text(&s, c, "kind"));
        ft_buf_fmt(b, " %s", ft_answer_text(&s, c, "value"));
        ft_buf_fmt(b, "  by %s", ft_answer_text(&s, c, "by"));
        if (*ft_answer_text(&s, c, "note"))
            ft_buf_fmt(b, ": %s", s.text);
        ft_buf_char(b, '\n');
    }
}

/* Whether one before it (they are in order of their begin) says the same: several watch, each writes down what it sees. */
static bool told_before(const cJSON *list, const cJSON *c)
{
    struct ft_shown kind, at, other;

    ft_answer_text(&kind, c, "kind");
    ft_answer_text(&at, c, "at");
    for (const cJSON *e = list->child; e && e != c; e = e->next)
        if (strcmp(ft_answer_text(&other, e, "kind"), kind.text) == 0 &&
            (!*ft_answer_text(&other, e, "ended_at") || strcmp(other.text, at.text) >= 0))
            return true;
    return false;
}

static void add_outages(struct ft_buf *b, const cJSON *o)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(o, "outages"), *c;
    struct ft_shown s;
    int n = 0;

    cJSON_ArrayForEach(c, list) n += !told_before(list, c);
    ft_buf_fmt(b, "\noutages: %d\n", n);
    cJSON_ArrayForEach(c, list)
    {
        if (told_before(list, c))
            continue;
        ft_buf_fmt(b, "  %s", ft_answer_text(&s, c, "at"));
        ft_buf_fmt(b, " to %s", *ft_answer_text(&s, c, "ended_at") ? s.text : "now");
        ft_buf_fmt(b, "  %s\n", ft_answer_text(&s, c, "message"));
    }
}

static void add_decided(struct ft_buf *b, const cJSON *o)
{
    static const char *const kinds[] = {"fraud",  "legitimate", "escalate",
                                        "snooze", "undo",       "note"};
    const cJSON *d = cJSON_GetObjectItemCaseSensitive(o, "decided");

    ft_buf_text(b, "decided     ");
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        double n = ft_answer_number(d, kinds[i]);

        ft_buf_fmt(b, "%s%s %.0f", i ? "   " : "", kinds[i], isnan(n) ? 0 : n);
    }
    ft_buf_char(b, '\n');
}

char *ft_handover_text(const char *json, const char *strip_prefix)
{
    cJSON *o = cJSON_Parse(json);
    struct ft_shown s;
    struct ft_buf b;
    char age[32];
    double oldest;

    if (!o)
        return NULL;
    ft_buf_init(&b, 4 << 20);
    ft_buf_fmt(&b, "handover, from %s", ft_answer_text(&s, o, "since"));
    ft_buf_fmt(&b, " to %s\n\nopened      %.0f, amounts ", ft_answer_text(&s, o, "until"),
               ft_answer_number(o, "opened"));
    add_amount(&b, o, "opened_amount");
    ft_buf_char(&b, '\n');
    add_decided(&b, o);
    ft_buf_fmt(&b, "still open  %.0f, claimed %.0f, over %.0f min: %.0f",
               ft_answer_number(o, "still_open"), ft_answer_number(o, "claimed"),
               ft_answer_number(o, "limit_s") / 60, ft_answer_number(o, "over_limit"));
    oldest = ft_answer_number(o, "oldest_s");
    if (!isnan(oldest)) {
        ft_fmt_age(age, sizeof(age), (int64_t)(oldest * 1000));
        ft_buf_fmt(&b, ", oldest %s", age);
    }
    ft_buf_char(&b, '\n');
    add_escalated(&b, o, strip_prefix);
    add_snoozed(&b, o, strip_prefix);
    add_changes(&b, o);
    add_outages(&b, o);
    cJSON_Delete(o);
    if (b.failed) {
        ft_buf_fini(&b);
        return NULL;
    }
    return b.p;
}
