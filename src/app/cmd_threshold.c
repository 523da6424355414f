/*
 * fraudtop threshold [X]: what a threshold would cost and catch, compared with the one in force.
 * fraudtop threshold apply X --note TEXT: into force for all scorers, through the control topic.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fraudtop/cutoff.h"
#include "fraudtop/pipeline.h"
#include "fraudtop/text.h"
#include "review.h"
#include "services.h"

/* ---- reading -------------------------------------------------------------------------------------------- */

static void bins(double *out, const cJSON *o, const char *name)
{
    const cJSON *b;
    size_t i = 0;

    cJSON_ArrayForEach(b, cJSON_GetObjectItemCaseSensitive(o, name))
    {
        if (i < FT_SCORE_BINS)
            out[i++] = cJSON_IsNumber(b) ? b->valuedouble : 0;
    }
}

static void counts_from(struct ft_counts *c, const cJSON *o)
{
    memset(c, 0, sizeof(*c));
    c->hours = ft_answer_number(o, "hours");
    c->labels_from_file = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(o, "labels_from_file"));
    bins(c->all, o, "all");
    bins(c->amount, o, "amount");
    bins(c->fraud, o, "fraud");
    bins(c->legitimate, o, "legitimate");
}

/* The one in force: as the control topic said last, else the command line's, else the model's. */
static double in_force(const struct ft_app *app, const cJSON *o)
{
    double v = ft_answer_number(o, "threshold");
    struct ft_scorer *s;

    if (!isnan(v))
        return v;
    if (ft_cfg_is_set(app->cfg, "model.threshold"))
        return ft_cfg_real(app->cfg, "model.threshold");
    if (ft_scorer_load(&s, ft_app_model(app), app->data_dir, false, NULL) != FT_OK)
        return 0.5;
    v = ft_scorer_info(s)->threshold;
    ft_scorer_free(s);
    return v;
}

/* ---- printing ------------------------------------------------------------------------------------------- */

static const char *count(char out[32], double v)
{
    if (isnan(v))
        snprintf(out, 32, "not known");
    else
        ft_fmt_count(out, 32, (uint64_t)(v + 0.5));
    return out;
}

static const char *change(char out[32], double a, double b)
{
    char digits[31];

    out[0] = '\0';
    if (isnan(a) || isnan(b))
        return out;
    ft_fmt_count(digits, sizeof(digits), (uint64_t)(fabs(b - a) + 0.5));
    snprintf(out, 32, "%s%s", strcmp(digits, "0") == 0 ? "" : b < a ? "-" : "+", digits);
    return out;
}

static void line(const char *what, double a, double b)
{
    char one[32], two[32], diff[32];

    printf("  %-22s %16s %16s %14s\n", what, count(one, a), count(two, b), change(diff, a, b));
}

static const char *precision(char out[32], const struct ft_cutoff *c)
{
    if (isnan(c->precision))
        snprintf(out, 32, "%.0f of %.0f", c->tp, c->tp + c->fp);
    else
        snprintf(out, 32, "%.2f +-%.2f", c->precision, (c->high - c->low) / 2);
    return out;
}

static const char *share(char out[32], double v)
{
    if (isnan(v))
        snprintf(out, 32, "not known");
    else
        snprintf(out, 32, "%.4f", v);
    return out;
}

static void print_table(const struct ft_counts *k, const struct ft_cutoff *a,
                        const struct ft_cutoff *b, double total)
{
    char one[32], two[32], of[32];

    printf("the last %.0f h, %s transactions, %s\n\n", k->hours, count(of, total),
           k->labels_from_file ? "labels from file" : "truth known only of what was reviewed");
    snprintf(one, sizeof(one), "now %.3f", a->threshold);
    snprintf(two, sizeof(two), "at %.3f", b->threshold);
    printf("  %-22s %16s %16s %14s\n", "", one, two, "change");
    line("flagged per day", a->per_day, b->per_day);
    line("reviews per hour", a->per_hour, b->per_hour);
    line("sum of flagged amounts", a->amount, b->amount);
    printf("  %-22s %16s %16s\n", k->labels_from_file ? "precision" : "precision, reviewed",
           precision(one, a), precision(two, b));
    line("fraud kept, of known", a->tp, b->tp);
    printf("  %-22s %16s %16s\n", "recall, all traffic", share(one, a->recall),
           share(two, b->recall));
    printf("  %-22s %16s %16s\n", "false-positive rate", share(one, a->fpr), share(two, b->fpr));
}

static cJSON *figures(const struct ft_cutoff *c)
{
    const struct {
        const char *name;
        double v;
    } member[] = {
        {"threshold",        c->threshold},
        {"flagged",          c->flagged  },
        {"flagged_per_day",  c->per_day  },
        {"reviews_per_hour", c->per_hour },
        {"flagged_amount",   c->amount   },
        {"true_positives",   c->tp       },
        {"false_positives",  c->fp       },
        {"known_fraud",      c->fraud    },
        {"precision",        c->precision},
        {"precision_low",    c->low      },
        {"precision_high",   c->high     },
        {"recall",           c->recall   },
        {"fpr",              c->fpr      }
    };
    cJSON *o = cJSON_CreateObject();

    for (size_t i = 0; i < sizeof(member) / sizeof(member[0]); i++)
        cJSON_AddItemToObject(o, member[i].name,
                              isnan(member[i].v) ? cJSON_CreateNull()
                                                 : cJSON_CreateNumber(member[i].v));
    return o;
}

static void print_json(const struct ft_counts *k, const struct ft_cutoff *a,
                       const struct ft_cutoff *b, double total)
{
    cJSON *o = cJSON_CreateObject();
    char *text;

    cJSON_AddStringToObject(o, "schema", "threshold/1");
    cJSON_AddNumberToObject(o, "hours", k->hours);
    cJSON_AddNumberToObject(o, "transactions", total);
    cJSON_AddBoolToObject(o, "labels_from_file", k->labels_from_file);
    cJSON_AddItemToObject(o, "now", figures(a));
    cJSON_AddItemToObject(o, "at", figures(b));
    text = cJSON_PrintUnformatted(o);
    if (text)
        puts(text);
    free(text);
    cJSON_Delete(o);
}

/* ---- the two commands ------------------------------------------------------------------------------------ */

static enum ft_status compare(struct ft_app *app, double x, struct ft_err *err)
{
    struct ft_counts *k = malloc(sizeof(*k));
    struct ft_cutoff now, at;
    struct ft_review r;
    char *json = NULL;
    enum ft_status st = k ? ft_review_open(&r, app, err) : ft_fail(err, FT_ENOMEM, "no memory");
    cJSON *o;

    if (st != FT_OK) {
        free(k);
        return st;
    }
    st = ft_cases_histograms(r.cases, 24, &json, err);
    o = st == FT_OK ? cJSON_Parse(json) : NULL;
    if (o) {
        double force = in_force(app, o);

        counts_from(k, o);
        ft_cutoff_at(k, force, &now);
        ft_cutoff_at(k, isnan(x) ? force : x, &at);
        (app->json ? print_json : print_table)(k, &now, &at, ft_answer_number(o, "total"));
    }
    cJSON_Delete(o);
    free(json);
    ft_review_close(&r);
    free(k);
    return st;
}

static enum ft_status apply(struct ft_app *app, double x, struct ft_err *err)
{
    const char *note = ft_cfg_text(app->cfg, "review.note");
    char json[1400];
    enum ft_status st;

    if (!note || !*note)
        return ft_fail(err, FT_EUSAGE, "a threshold wants a reason: --note TEXT");
    st = ft_in_force_json(app, "threshold", x, note, json, sizeof(json), err);
    if (st == FT_OK)
        st = ft_in_force_put(app, "threshold", json, err);
    if (st == FT_OK && app->json)
        printf("{\"schema\":\"threshold.apply/1\",\"threshold\":%.17g}\n", x);
    else if (st == FT_OK && !app->quiet)
        printf("threshold %.6g is in force: all scorers use it within seconds\n", x);
    return st;
}

static bool number(const char *word, double *out)
{
    return ft_parse_double(ft_span_of(word), out) && *out >= 0 && *out <= 1;
}

int ft_cmd_threshold(struct ft_app *app)
{
    bool applies = app->n_args && strcmp(app->args[0], "apply") == 0;
    size_t at = applies ? 1 : 0;
    double x = ft_cfg_is_set(app->cfg, "threshold.at") ? ft_cfg_real(app->cfg, "threshold.at")
                                                       : (double)NAN;
    struct ft_err err;
    enum ft_status st;

    if (app->n_args > at + 1)
        return ft_app_usage(app, "threshold takes one number: \"%s\" is one word too many",
                            app->args[at + 1]);
    if (app->n_args > at && !number(app->args[at], &x))
        return ft_app_usage(app, "\"%s\" is no threshold: a number from 0 to 1", app->args[at]);
    if (applies && isnan(x))
        return ft_app_usage(app,
                            "threshold apply wants the number: threshold apply 0.65 --note TEXT");
    st = applies ? apply(app, x, &err) : compare(app, x, &err);
    return st == FT_OK ? ft_stop_exit(0) : ft_app_fail(app, st, &err);
}
