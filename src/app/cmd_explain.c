/* fraudtop explain FILE --row N: all contributions to one row's score. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fraudtop/text.h"
#include "offline.h"

#define BAR 20

struct explain {
    const struct ft_scorer *scorer;
    uint64_t row;
    bool found, rejected, json;
    double raw, score, base;
    struct ft_reason *reason;
    size_t n;
    char why[512];
};

/* The row itself.  Those before it were let through for the customer's state. */
static enum ft_status format(void *user, const struct ft_offline_row *r, struct ft_score_scratch *x,
                             size_t i, struct ft_buf *out, struct ft_err *err)
{
    struct explain *e = user;
    size_t max = ft_scorer_info(e->scorer)->n_features;

    (void)out;
    if (r->row != e->row)
        return FT_OK;
    e->reason = calloc(max + 1, sizeof(*e->reason));
    if (!e->reason)
        return ft_fail(err, FT_ENOMEM, "no memory for the contributions");
    e->found = true;
    e->raw = r->got.raw;
    e->score = r->got.score;
    return ft_score_reasons(e->scorer, x, i, e->reason, max, &e->n, &e->base, err);
}

static void reject(void *user, uint64_t row, const char *reason)
{
    struct explain *e = user;

    if (row != e->row)
        return;
    e->rejected = true;
    snprintf(e->why, sizeof(e->why), "%s", reason);
}

static void print_json(const struct explain *e)
{
    struct ft_buf b;

    ft_buf_init(&b, (size_t)1 << 26);
    ft_buf_text(&b, "{\"row\":");
    ft_buf_u64(&b, e->row);
    ft_buf_text(&b, ",\"raw\":");
    ft_buf_double(&b, e->raw);
    ft_buf_text(&b, ",\"score\":");
    ft_buf_double(&b, e->score);
    ft_buf_text(&b, ",\"base\":");
    ft_buf_double(&b, e->base);
    ft_buf_text(&b, ",\"contributions\":[");
    for (size_t i = 0; i < e->n; i++) {
        ft_buf_text(&b, i ? ",{\"feature\":" : "{\"feature\":");
        ft_buf_json(&b, ft_span_of(e->reason[i].feature));
        ft_buf_text(&b, ",\"value\":");
        ft_buf_json(&b, ft_span_of(e->reason[i].value));
        ft_buf_text(&b, ",\"contribution\":");
        ft_buf_double(&b, e->reason[i].contribution);
        if (e->reason[i].text[0]) {
            ft_buf_text(&b, ",\"text\":");
            ft_buf_json(&b, ft_span_of(e->reason[i].text));
        }
        ft_buf_char(&b, '}');
    }
    ft_buf_text(&b, "]}\n");
    fwrite(b.p, 1, b.n, stdout);
    ft_buf_fini(&b);
}

static void print_line(const struct ft_reason *r, double strongest)
{
    char feature[128], value[128], bar[BAR + 1];
    int n = strongest > 0 ? (int)lround(fabs(r->contribution) / strongest * BAR) : 0;

    ft_text_clean(feature, sizeof(feature), ft_span_of(r->feature));
    ft_text_clean(value, sizeof(value), ft_span_of(r->text[0] ? r->text : r->value));
    memset(bar, r->contribution < 0 ? '-' : '#', BAR);
    bar[n < BAR ? n : BAR] = '\0';
    printf("%+9.4f  %-*s  %-20.20s  %s\n", r->contribution, BAR, bar, feature, value);
}

static void print_text(const struct explain *e)
{
    double sum = 0;

    for (size_t i = 0; i < e->n; i++)
        sum += e->reason[i].contribution;
    printf("row %llu   score %.6f   raw %+.6f = base %+.6f, features %+.6f\n\n",
           (unsigned long long)e->row, e->score, e->raw, e->base, sum);
    for (size_t i = 0; i < e->n; i++)
        print_line(&e->reason[i], fabs(e->reason[0].contribution));
}

static enum ft_status run(struct ft_app *app, struct explain *e, struct ft_err *err)
{
    struct ft_offline o = {.app = app,
                           .scorer = e->scorer,
                           .paths = app->args,
                           .n_paths = app->n_args,
                           .what = "explain",
                           .user = e,
                           .limit = e->row + 1,
                           .threshold = ft_offline_threshold(app, e->scorer),
                           .format = format,
                           .reject = reject};
    enum ft_status st = ft_offline_run(&o, err);

    if (st != FT_OK)
        return st;
    if (e->rejected)
        return ft_fail(err, FT_EINPUT, "%s: row %llu cannot be scored: %s", app->args[0],
                       (unsigned long long)e->row, e->why);
    if (!e->found)
        return ft_fail(err, FT_EUSAGE, "%s: there is no row %llu, it has %llu (counted from 0)",
                       app->args[0], (unsigned long long)e->row, (unsigned long long)o.n_rows);
    return FT_OK;
}

int ft_cmd_explain(struct ft_app *app)
{
    struct explain e = {.json = app->json};
    struct ft_scorer *scorer = NULL;
    struct ft_err err = {""};
    enum ft_status st;

    if (app->n_args != 1)
        return ft_app_usage(app, "explain wants one file (- is standard input)");
    if (!ft_cfg_is_set(app->cfg, "explain.row"))
        return ft_app_usage(app, "explain wants --row N, counted from 0");
    e.row = (uint64_t)ft_cfg_int(app->cfg, "explain.row");
    st = ft_app_scorer(app, NULL, &scorer, &err);
    e.scorer = scorer;
    if (st == FT_OK)
        st = run(app, &e, &err);
    if (st == FT_OK && e.json)
        print_json(&e);
    else if (st == FT_OK)
        print_text(&e);
    if (st == FT_OK && fflush(stdout) != 0)
        st = ft_fail(&err, FT_EIO, "standard output could not be written");
    free(e.reason);
    ft_scorer_free(scorer);
    return st == FT_OK ? 0 : ft_app_fail(app, st, &err);
}
