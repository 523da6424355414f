/* fraudtop generate: made-up labelled transactions as CSV, the same ones for the same options. */
#include <stdio.h>

#include "fraudtop/generate.h"
#include "offline.h"

#define BLOCK (256u << 10)

static enum ft_status write_block(FILE *out, const struct ft_buf *b, struct ft_err *err)
{
    if (b->failed)
        return ft_fail(err, FT_ENOMEM, "generate: no memory for a block of rows");
    if (b->n && fwrite(b->p, 1, b->n, out) != b->n)
        return ft_offline_not_written(err);
    return FT_OK;
}

static enum ft_status make_rows(const struct ft_app *app, struct ft_maker *maker, uint64_t rows,
                                FILE *out, struct ft_err *err)
{
    struct ft_progress progress;
    struct ft_buf b;
    uint64_t done = 0;
    enum ft_status st = FT_OK;
    bool more = true;

    ft_buf_init(&b, 4 * BLOCK);
    ft_progress_start(&progress, app, "generate");
    ft_maker_header(&b);
    while (st == FT_OK && more) {
        while (b.n < BLOCK && (more = ft_maker_row(maker, &b)))
            done++;
        st = write_block(out, &b, err);
        ft_buf_clear(&b);
        ft_progress_show(&progress, done, rows, done, NULL);
        if (st == FT_OK && ft_stop_signal())
            st = ft_fail(err, FT_ESTOPPED, "generate: stopped after %llu rows",
                         (unsigned long long)done);
    }
    ft_progress_end(&progress);
    ft_buf_fini(&b);
    return st;
}

int ft_cmd_generate(struct ft_app *app)
{
    const struct ft_made_opts opts = {.rows = (uint64_t)ft_cfg_int(app->cfg, "generate.rows"),
                                      .customers =
                                          (uint64_t)ft_cfg_int(app->cfg, "generate.customers"),
                                      .seed = (uint64_t)ft_cfg_int(app->cfg, "generate.seed"),
                                      .fraud_rate = ft_cfg_real(app->cfg, "generate.fraud"),
                                      .days = ft_cfg_real(app->cfg, "generate.days"),
                                      .start = ft_cfg_text(app->cfg, "generate.start")};
    struct ft_maker *maker;
    struct ft_err err = {""};
    FILE *out = NULL;
    enum ft_status st;

    if (app->n_args)
        return ft_app_usage(app, "generate takes options only (--rows N --seed S --output FILE)");
    st = ft_maker_new(&maker, &opts, &err);
    if (st == FT_OK)
        st = ft_offline_output(app, &out, &err);
    if (st == FT_OK) {
        st = make_rows(app, maker, opts.rows, out, &err);
        if (st == FT_OK)
            st = ft_offline_close(app, out, &err);
        else if (out != stdout)
            fclose(out);
    }
    ft_maker_free(maker);
    if (st == FT_ESTOPPED)
        return ft_stop_exit(1);
    return st == FT_OK ? 0 : ft_app_fail(app, st, &err);
}
