/* fraudtop score FILE...: offline, to CSV or an object a line. */
#include "offline.h"

#include <string.h>

struct score_files {
    const struct ft_scorer *scorer;
    size_t n_reasons;
    bool json;
};

static enum ft_status format(void *user, const struct ft_offline_row *r, struct ft_score_scratch *x,
                             size_t i, struct ft_buf *out, struct ft_err *err)
{
    const struct score_files *f = user;
    enum ft_status st = FT_OK;

    ft_buf_text(out, f->json ? "{\"row\":" : "");
    ft_buf_u64(out, r->row);
    ft_buf_text(out, f->json ? ",\"score\":" : ",");
    ft_buf_double(out, r->got.score);
    ft_buf_text(out, f->json ? ",\"fraud_flag\":" : ",");
    ft_buf_char(out, r->got.flag ? '1' : '0');
    ft_buf_text(out, f->json ? ",\"raw\":" : ",");
    ft_buf_double(out, r->got.raw);
    if (f->json && f->n_reasons) {
        ft_buf_text(out, ",\"reasons\":");
        st = ft_score_reasons_json(f->scorer, x, i, f->n_reasons, out);
        if (st != FT_OK)
            return ft_fail(err, st, "the model can give no reasons (it has no leaf weights)");
    }
    ft_buf_text(out, f->json ? "}\n" : "\n");
    return st;
}

int ft_score_files(struct ft_app *app)
{
    struct score_files f = {.json = app->json};
    struct ft_offline o = {.app = app,
                           .paths = app->args,
                           .n_paths = app->n_args,
                           .what = "score",
                           .user = &f,
                           .format = format};
    struct ft_scorer *scorer = NULL;
    struct ft_err err = {""};
    enum ft_status st;

    if (!f.json && strcmp(ft_cfg_source(app->cfg, "score.reasons"), "--reasons") == 0)
        return ft_app_usage(app,
                            "--reasons of rows in files wants --json: the CSV holds no reasons");
    st = ft_app_scorer(app, NULL, &scorer, &err);
    if (st == FT_OK)
        st = ft_offline_output(app, &o.out, &err);
    if (st == FT_OK) {
        f.scorer = o.scorer = scorer;
        f.n_reasons = ft_cfg_is_set(app->cfg, "score.reasons")
                          ? (size_t)ft_cfg_int(app->cfg, "score.reasons")
                          : 0;
        o.threshold = ft_offline_threshold(app, scorer);
        o.header = f.json ? NULL : "row,score,fraud_flag,raw\n";
        st = ft_offline_run(&o, &err);
        if (st == FT_OK)
            st = ft_offline_close(app, o.out, &err);
        else if (o.out != stdout)
            fclose(o.out);
    }
    ft_scorer_free(scorer);
    return ft_offline_exit(app, &o, st, &err);
}
