/* fraudtop evaluate FILE...: how good models are on labelled rows, side by side. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fraudtop/evaluate.h"
#include "fraudtop/text.h"
#include "offline.h"

#define MODELS_MAX 8
#define FPR 0.05
#define COLUMN 14      /* of the table, for a model: so wide at least, */
#define COLUMN_MOST 40 /* and at most, where names are long */

struct model {
    const char *name; /* its own; where two models have the same, what they were asked for by */
    struct ft_scorer *scorer;
    struct ft_eval *eval;
    struct ft_eval_result r;     /* with F1, FPR 5 % */
    struct ft_eval_result asked; /* with --beta, --fpr, --recall */
    struct ft_offline o;
    uint64_t unlabelled;
};

struct evaluate {
    struct model model[MODELS_MAX];
    size_t n;
    int column;               /* width in the table */
    double beta, fpr, recall; /* recall NaN: not asked */
};

/* ---- figures -------------------------------------------------------------------------------------- */

static enum ft_status take(void *user, const struct ft_offline_row *r, struct ft_err *err)
{
    struct model *m = user;
    const struct ft_cell *cell = &r->txn->col[FT_COL_AMOUNT];
    double amount;

    if (r->txn->label == FT_LABEL_UNKNOWN) {
        m->unlabelled++;
        return FT_OK;
    }
    if (!isfinite(r->got.score))
        return ft_fail(err, FT_EINPUT, "row %llu: the score is not finite",
                       (unsigned long long)r->row);
    if (!cell->n || !ft_parse_double((struct ft_span){cell->p, cell->n}, &amount))
        amount = NAN;
    return ft_eval_add(m->eval, r->got.score, r->txn->label, amount, err);
}

static enum ft_status evaluate_model(struct ft_app *app, struct evaluate *e, struct model *m,
                                     const char *name, struct ft_err *err)
{
    enum ft_status st = ft_app_scorer(app, name, &m->scorer, err);

    if (st != FT_OK)
        return st;
    m->eval = ft_eval_new();
    if (!m->eval)
        return ft_fail(err, FT_ENOMEM, "no memory for the scores");
    m->o = (struct ft_offline){.app = app,
                               .scorer = m->scorer,
                               .paths = app->args,
                               .n_paths = app->n_args,
                               .what = "evaluate",
                               .threshold = ft_offline_threshold(app, m->scorer),
                               .user = m,
                               .take = take};
    st = ft_offline_run(&m->o, err);
    if (st == FT_OK)
        st = ft_eval_compute(m->eval, m->o.threshold, 1, FPR, NAN, &m->r, err);
    if (st == FT_OK)
        st = ft_eval_compute(m->eval, m->o.threshold, e->beta, e->fpr, e->recall, &m->asked, err);
    return st;
}

/* ---- JSON ----------------------------------------------------------------------------------------- */

static void put(struct ft_buf *b, const char *name, double v)
{
    char text[32] = "null";

    if (isfinite(v))
        ft_fmt_double(text, sizeof(text), v);
    ft_buf_fmt(b, "%s\"%s\":%s", b->n && b->p[b->n - 1] == '{' ? "" : ",", name, text);
}

static void put_count(struct ft_buf *b, const char *name, uint64_t v)
{
    ft_buf_fmt(b, "%s\"%s\":%llu", b->n && b->p[b->n - 1] == '{' ? "" : ",", name,
               (unsigned long long)v);
}

static void put_at(struct ft_buf *b, const char *name, const struct ft_eval_at *at)
{
    ft_buf_fmt(b, ",\"%s\":{", name);
    put(b, "threshold", at->threshold);
    put(b, "recall", at->recall);
    put(b, "precision", at->precision);
    ft_buf_char(b, '}');
}

/* What was asked for beyond the fixed members. */
static void put_asked(struct ft_buf *b, const struct evaluate *e, const struct model *m,
                      const struct ft_app *app)
{
    if (ft_cfg_is_set(app->cfg, "evaluate.beta")) {
        ft_buf_text(b, ",\"f_beta\":{");
        put(b, "beta", e->beta);
        put(b, "value", m->asked.at.f_beta);
        put(b, "best_threshold", m->asked.best_f.threshold);
        put(b, "best", m->asked.best_f.f_beta);
        ft_buf_char(b, '}');
    }
    if (ft_cfg_is_set(app->cfg, "evaluate.fpr")) {
        put_at(b, "at_fpr", &m->asked.at_fpr);
        b->n--;
        put(b, "max_fpr", e->fpr);
        ft_buf_char(b, '}');
    }
    if (!isnan(e->recall)) {
        put_at(b, "at_recall", &m->asked.at_recall);
        b->n--;
        put(b, "min_recall", e->recall);
        ft_buf_char(b, '}');
    }
}

static void print_json(const struct evaluate *e, const struct model *m, const struct ft_app *app)
{
    const struct ft_eval_result *r = &m->r;
    struct ft_buf b;

    ft_buf_init(&b, 65536);
    ft_buf_char(&b, '{');
    if (e->n > 1) {
        ft_buf_text(&b, "\"model\":");
        ft_buf_json(&b, ft_span_of(m->name));
    }
    put_count(&b, "rows", r->rows);
    put_count(&b, "positives", r->positives);
    put(&b, "roc_auc", r->roc_auc);
    put(&b, "pr_auc", r->pr_auc);
    put(&b, "log_loss", r->log_loss);
    put(&b, "brier", r->brier);
    put(&b, "threshold", r->at.threshold);
    put_count(&b, "tp", r->at.tp);
    put_count(&b, "fp", r->at.fp);
    put_count(&b, "tn", r->at.tn);
    put_count(&b, "fn", r->at.fn);
    put(&b, "precision", r->at.precision);
    put(&b, "recall", r->at.recall);
    put(&b, "fpr", r->at.fpr);
    put(&b, "f1", r->at.f_beta);
    ft_buf_text(&b, ",\"best_f1\":{");
    put(&b, "threshold", r->best_f.threshold);
    put(&b, "precision", r->best_f.precision);
    put(&b, "recall", r->best_f.recall);
    put(&b, "f1", r->best_f.f_beta);
    ft_buf_char(&b, '}');
    put_at(&b, "at_fpr_5", &r->at_fpr);
    ft_buf_text(&b, ",\"money\":{");
    put(&b, "flagged", r->at.money_flagged);
    put(&b, "missed", r->at.money_missed);
    put(&b, "false_alarm", r->at.money_false_alarm);
    ft_buf_char(&b, '}');
    put_asked(&b, e, m, app);
    ft_buf_text(&b, "}\n");
    fwrite(b.p, 1, b.n, stdout);
    ft_buf_fini(&b);
}

/* ---- the table ------------------------------------------------------------------------------------ */

enum look { COUNT, SHARE, MONEY, THRESHOLD };

static void print_row(const struct evaluate *e, const char *name, enum look look,
                      double (*of)(const struct model *m))
{
    printf("%-26s", name);
    for (size_t i = 0; i < e->n; i++) {
        double v = of(&e->model[i]);
        char text[32];

        if (isnan(v))
            snprintf(text, sizeof(text), "-");
        else if (look == COUNT || (look == MONEY && v >= 0 && v < 1e15)) /* every digit */
            ft_fmt_count(text, sizeof(text), (uint64_t)llround(v));
        else if (look == MONEY)
            ft_fmt_money(text, sizeof(text), v);
        else if (look == THRESHOLD) /* whole: used again it gives the figures beside it */
            ft_fmt_double(text, sizeof(text), v);
        else
            snprintf(text, sizeof(text), "%.4f", v);
        printf("  %*s", e->column, text);
    }
    putchar('\n');
}

#define FIGURE(name, expression)                                                                   \
    static double name(const struct model *m)                                                      \
    {                                                                                              \
        return (double)(expression);                                                               \
    }
FIGURE(rows, m->r.rows)
FIGURE(positives, m->r.positives)
FIGURE(roc_auc, m->r.roc_auc)
FIGURE(pr_auc, m->r.pr_auc)
FIGURE(log_loss, m->r.log_loss)
FIGURE(brier, m->r.brier)
FIGURE(threshold, m->r.at.threshold)
FIGURE(tp, m->r.at.tp)
FIGURE(fp, m->r.at.fp)
FIGURE(fn, m->r.at.fn)
FIGURE(tn, m->r.at.tn)
FIGURE(precision, m->r.at.precision)
FIGURE(recall, m->r.at.recall)
FIGURE(fpr, m->r.at.fpr)
FIGURE(f_beta, m->asked.at.f_beta)
FIGURE(money_flagged, m->r.at.money_flagged)
FIGURE(money_missed, m->r.at.money_missed)
FIGURE(money_false, m->r.at.money_false_alarm)
FIGURE(best_threshold, m->asked.best_f.threshold)
FIGURE(best_f, m->asked.best_f.f_beta)
FIGURE(best_precision, m->asked.best_f.precision)
FIGURE(best_recall, m->asked.best_f.recall)
FIGURE(fpr_threshold, m->asked.at_fpr.threshold)
FIGURE(fpr_recall, m->asked.at_fpr.recall)
FIGURE(fpr_precision, m->asked.at_fpr.precision)
FIGURE(recall_threshold, m->asked.at_recall.threshold)
FIGURE(recall_precision, m->asked.at_recall.precision)
FIGURE(recall_fpr, m->asked.at_recall.fpr)

static void print_models(const struct evaluate *e)
{
    printf("%-26s", "");
    for (size_t i = 0; i < e->n; i++) {
        char name[FT_TEXT_CHARS], cut[FT_TEXT_CHARS];

        ft_text_clean(name, sizeof(name), ft_span_of(e->model[i].name));
        ft_text_cut(cut, sizeof(cut), ft_span_of(name), e->column, true);
        printf("  %*s%s", e->column - ft_text_width(ft_span_of(cut)), "", cut);
    }
    putchar('\n');
}

static void print_table(const struct evaluate *e)
{
    char name[64];

    print_models(e);
    print_row(e, "rows", COUNT, rows);
    print_row(e, "frauds", COUNT, positives);
    print_row(e, "ROC AUC", SHARE, roc_auc);
    print_row(e, "PR AUC", SHARE, pr_auc);
    print_row(e, "log loss", SHARE, log_loss);
    print_row(e, "Brier score", SHARE, brier);
    print_row(e, "threshold", THRESHOLD, threshold);
    print_row(e, "  caught          TP", COUNT, tp);
    print_row(e, "  false alarms    FP", COUNT, fp);
    print_row(e, "  missed          FN", COUNT, fn);
    print_row(e, "  left in peace   TN", COUNT, tn);
    print_row(e, "  precision", SHARE, precision);
    print_row(e, "  recall", SHARE, recall);
    print_row(e, "  false-positive rate", SHARE, fpr);
    snprintf(name, sizeof(name), "  F%g", e->beta);
    print_row(e, name, SHARE, f_beta);
    print_row(e, "  money flagged", MONEY, money_flagged);
    print_row(e, "  money missed", MONEY, money_missed);
    print_row(e, "  money in false alarms", MONEY, money_false);
    snprintf(name, sizeof(name), "best F%g: threshold", e->beta);
    print_row(e, name, THRESHOLD, best_threshold);
    print_row(e, "  precision", SHARE, best_precision);
    print_row(e, "  recall", SHARE, best_recall);
    print_row(e, "  F", SHARE, best_f);
    snprintf(name, sizeof(name), "FPR up to %g: threshold", e->fpr);
    print_row(e, name, THRESHOLD, fpr_threshold);
    print_row(e, "  recall", SHARE, fpr_recall);
    print_row(e, "  precision", SHARE, fpr_precision);
    if (isnan(e->recall))
        return;
    snprintf(name, sizeof(name), "recall from %g: threshold", e->recall);
    print_row(e, name, THRESHOLD, recall_threshold);
    print_row(e, "  precision", SHARE, recall_precision);
    print_row(e, "  false-positive rate", SHARE, recall_fpr);
}

/* ---- the plot ------------------------------------------------------------------------------------- */

#define PLOT_COLS 61
#define PLOT_ROWS 11

struct plot {
    double precision[PLOT_COLS], recall[PLOT_COLS];
    int left; /* columns that have no figures yet: thresholds come from above */
};

static void plot_point(void *user, const struct ft_eval_at *at)
{
    struct plot *p = user;

    while (p->left > 0 && at->threshold <= (double)(p->left - 1) / (PLOT_COLS - 1)) {
        p->left--;
        p->precision[p->left] = at->precision;
        p->recall[p->left] = at->recall;
    }
}

static bool on_line(double v, int line)
{
    return !isnan(v) && (int)lround(v * (PLOT_ROWS - 1)) == line;
}

static void print_plot(const struct model *m)
{
    struct plot p = {.left = PLOT_COLS};
    char name[FT_TEXT_CHARS];

    for (int c = 0; c < PLOT_COLS; c++)
        p.precision[c] = p.recall[c] = NAN;
    ft_eval_curve(m->eval, plot_point, &p);
    ft_text_clean(name, sizeof(name), ft_span_of(m->name));
    printf("\n%s: precision (P) and recall (R) by threshold\n", name);
    for (int line = PLOT_ROWS - 1; line >= 0; line--) {
        char text[PLOT_COLS + 1];

        for (int c = 0; c < PLOT_COLS; c++) {
            bool pr = on_line(p.precision[c], line), re = on_line(p.recall[c], line);

            text[c] = pr && re ? '*' : pr ? 'P' : re ? 'R' : line == 0 ? '.' : ' ';
        }
        text[PLOT_COLS] = '\0';
        printf("%4.1f |%s\n", line / (double)(PLOT_ROWS - 1), text);
    }
    printf("     0%*s%*s\n", PLOT_COLS / 2 + 1, "0.5", PLOT_COLS / 2, "1");
}

/* ---- the curve ------------------------------------------------------------------------------------ */

struct curve {
    FILE *f;
    const struct ft_buf *model; /* its name as a cell; NULL: there is but one */
};

static void curve_number(FILE *f, double v)
{
    char text[32] = "";

    if (!isnan(v))
        ft_fmt_double(text, sizeof(text), v);
    fprintf(f, ",%s", text);
}

static void curve_point(void *user, const struct ft_eval_at *at)
{
    const struct curve *c = user;
    char threshold[32];

    ft_fmt_double(threshold, sizeof(threshold), at->threshold);
    if (c->model) {
        fwrite(c->model->p, 1, c->model->n, c->f);
        fputc(',', c->f);
    }
    fprintf(c->f, "%s,%llu,%llu,%llu,%llu", threshold, (unsigned long long)at->tp,
            (unsigned long long)at->fp, (unsigned long long)at->tn, (unsigned long long)at->fn);
    curve_number(c->f, at->precision);
    curve_number(c->f, at->recall);
    curve_number(c->f, at->fpr);
    curve_number(c->f, at->f_beta);
    curve_number(c->f, at->money_flagged);
    curve_number(c->f, at->money_missed);
    curve_number(c->f, at->money_false_alarm);
    fputc('\n', c->f);
}

static enum ft_status write_curve(const struct evaluate *e, const char *path, struct ft_err *err)
{
    bool to_stdout = strcmp(path, "-") == 0;
    struct curve c = {.f = to_stdout ? stdout : fopen(path, "w")};
    struct ft_buf name;
    bool bad;

    if (!c.f)
        return ft_fail(err, FT_EIO, "%s: %s", path, strerror(errno));
    ft_buf_init(&name, 4096);
    fprintf(c.f,
            "%sthreshold,tp,fp,tn,fn,precision,recall,fpr,f1,money_flagged,money_missed,"
            "money_false_alarm\n",
            e->n > 1 ? "model," : "");
    for (size_t i = 0; i < e->n; i++) {
        c.model = e->n > 1 ? &name : NULL;
        ft_buf_clear(&name);
        ft_buf_csv(&name, ft_span_of(e->model[i].name));
        ft_eval_curve(e->model[i].eval, curve_point, &c);
    }
    bad = ferror(c.f) != 0 || name.failed;
    ft_buf_fini(&name);
    bad |= (to_stdout ? fflush(c.f) : fclose(c.f)) != 0;
    if (bad && to_stdout)
        return ft_offline_not_written(err);
    return bad ? ft_fail(err, FT_EIO, "%s: could not be written", path) : FT_OK;
}

/* ---- names ---------------------------------------------------------------------------------------- */

/* Folders and files of different models often have the same name. */
static void name_models(struct evaluate *e, const char *const *asked)
{
    e->column = COLUMN;
    for (size_t i = 0; i < e->n; i++) {
        char shown[FT_TEXT_CHARS];
        int width;

        e->model[i].name = ft_scorer_info(e->model[i].scorer)->name;
        for (size_t k = 0; k < e->n; k++)
            if (k != i && strcmp(ft_scorer_info(e->model[k].scorer)->name,
                                 ft_scorer_info(e->model[i].scorer)->name) == 0)
                e->model[i].name = asked[i];
        ft_text_clean(shown, sizeof(shown), ft_span_of(e->model[i].name));
        width = ft_text_width(ft_span_of(shown));
        if (width > e->column)
            e->column = width < COLUMN_MOST ? width : COLUMN_MOST;
    }
}

/* ---- the command ---------------------------------------------------------------------------------- */

static void print(const struct evaluate *e, const struct ft_app *app)
{
    for (size_t i = 0; app->json && i < e->n; i++)
        print_json(e, &e->model[i], app);
    if (app->json)
        return;
    print_table(e);
    for (size_t i = 0; i < e->n; i++)
        if (ft_scorer_info(e->model[i].scorer)->probability)
            print_plot(&e->model[i]);
}

static enum ft_status run(struct ft_app *app, struct evaluate *e, struct ft_err *err)
{
    const char *const *names;
    const char *curve = ft_cfg_text(app->cfg, "evaluate.curve");
    size_t n = ft_cfg_list(app->cfg, "evaluate.model", &names);
    enum ft_status st = FT_OK;

    if (n > MODELS_MAX)
        return ft_fail(err, FT_EUSAGE, "at most %d models side by side", MODELS_MAX);
    for (size_t i = 0; i < app->n_args && n > 1; i++)
        if (strcmp(app->args[i], "-") == 0)
            return ft_fail(err, FT_EUSAGE,
                           "standard input can be read once only: give a file for several models");
    for (size_t i = 0; i < (n ? n : 1) && st == FT_OK; i++) {
        e->n = i + 1;
        st = evaluate_model(app, e, &e->model[i], n ? names[i] : NULL, err);
    }
    if (st == FT_OK)
        name_models(e, names);
    if (st == FT_OK && curve)
        st = write_curve(e, curve, err);
    if (st != FT_OK)
        return st;
    if (e->model[0].unlabelled && !app->quiet)
        fprintf(stderr, "evaluate: %llu rows have no label and do not count\n",
                (unsigned long long)e->model[0].unlabelled);
    if (!curve || strcmp(curve, "-") != 0)
        print(e, app);
    return fflush(stdout) ? ft_offline_not_written(err) : FT_OK;
}

int ft_cmd_evaluate(struct ft_app *app)
{
    struct evaluate *e;
    struct ft_err err = {""};
    enum ft_status st;
    int status;

    if (!app->n_args)
        return ft_app_usage(app, "evaluate wants at least one file (- is standard input)");
    if (!ft_cfg_text(app->cfg, "replay.label"))
        return ft_app_usage(app, "evaluate wants --label NAME, the column that holds the truth");
    e = calloc(1, sizeof(*e));
    if (!e)
        return ft_app_fail(app, ft_fail(&err, FT_ENOMEM, "no memory"), &err);
    e->beta = ft_cfg_real(app->cfg, "evaluate.beta");
    e->fpr = ft_cfg_real(app->cfg, "evaluate.fpr");
    e->recall = ft_cfg_is_set(app->cfg, "evaluate.recall")
                    ? ft_cfg_real(app->cfg, "evaluate.recall")
                    : (double)NAN;
    st = run(app, e, &err);
    status = ft_offline_exit(app, &e->model[0].o, st, &err);
    for (size_t i = 0; i < e->n; i++) {
        ft_eval_free(e->model[i].eval);
        ft_scorer_free(e->model[i].scorer);
    }
    free(e);
    return status;
}
