/*
 * fraudtop demo: everything embedded.  The real pipeline on the labelled sample (or the files named), with the console
 * on top; without a terminal it runs to the end and prints what `run` prints.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "console.h"
#include "screen.h"

#define STOP_MS 4500

/* The sample and its label, unless files were named. */
static enum ft_status choose_files(struct ft_app *app, char *path, size_t size, const char **word,
                                   struct ft_err *err)
{
    static const char *const folders[] = {"data", "../share/fraudtop/data"};
    enum ft_status st = FT_OK;

    if (app->n_args)
        return FT_OK;
    snprintf(path, size, "%s/data/test.csv.gz", app->data_dir);
    for (size_t i = 0; access(path, R_OK) != 0; i++) {
        if (i == sizeof(folders) / sizeof(folders[0]))
            return ft_fail(err, FT_EUSAGE,
                           "the sample data/test.csv.gz is not installed: name a file");
        snprintf(path, size, "%s/test.csv.gz", folders[i]);
    }
    *word = path;
    app->args = word;
    app->n_args = 1;
    if (!ft_cfg_text(app->cfg, "replay.label"))
        st = ft_config_set(app->cfg, "replay.label", "target", "demo", err);
    return st;
}

/* Server, log, stages and replay, while the screen is up already. */
static enum ft_status open_demo(struct ft_console_opts *opts, struct ft_err *err)
{
    const int parts = FT_WITH_SCORE | FT_WITH_SINK | FT_WITH_REPLAY | FT_EMBED;
    struct ft_pipeline *p = opts->pipeline;
    struct ft_replay_opts ro;
    enum ft_status st = ft_pipeline_open(p, opts->app, "demo", parts, err);

    if (st == FT_OK)
        st = ft_pipeline_connect(p, err);
    if (st == FT_OK)
        st = ft_pipeline_start(p, err);
    if (st != FT_OK)
        return st;
    ft_pipeline_replay_opts(p, &ro);
    st = ft_pipeline_replay(p, &ro, err);
    return st == FT_OK ? ft_pipeline_replay_start(p, err) : st;
}

static enum ft_status with_screen(struct ft_app *app, struct ft_err *err)
{
    struct ft_pipeline p = {.app = app};
    struct ft_console_opts opts = {.app = app,
                                   .pipeline = &p,
                                   .open = open_demo,
                                   .demo = true,
                                   .read_only = ft_cfg_flag(app->cfg, "review.read_only")};
    struct ft_console *c = NULL;
    enum ft_status st = ft_console_start(&c, &opts, err);

    if (st == FT_OK) {
        ft_console_say(c, false, "Starting the embedded log and database ...");
        st = ft_screen_run(app, ft_console_feed(c), NULL, ft_console_open, c, err);
    }
    if (st == FT_OK)
        st = ft_console_failed(c, err);
    ft_console_stop(c);
    if (!ft_pipeline_stop(&p, STOP_MS))
        _exit(ft_stop_exit(1)); /* a stage hangs in a library: its state is safe */
    ft_pipeline_close(&p);
    return st;
}

int ft_cmd_demo(struct ft_app *app)
{
    struct ft_pg_opts reset = {.state_dir = NULL};
    char path[4200];
    const char *word;
    struct ft_err err;
    enum ft_status st = FT_OK;

    if (ft_cfg_text(app->cfg, "display.scene"))
        return ft_screen_scene(app);
    if (ft_cfg_flag(app->cfg, "demo.reset"))
        st = ft_pg_reset(&reset, &err);
    if (st == FT_OK)
        st = choose_files(app, path, sizeof(path), &word, &err);
    if (st != FT_OK)
        return ft_app_fail(app, st, &err);
    if (ft_screen_terminal(&err) != FT_OK || app->json) {
        if (!ft_cfg_is_set(app->cfg, "replay.rate")) /* nobody watches: as fast as it goes */
            st = ft_config_set(app->cfg, "replay.rate", "max", "demo", &err);
        return st == FT_OK ? ft_cmd_run(app) : ft_app_fail(app, st, &err);
    }
    st = with_screen(app, &err);
    return st == FT_OK ? ft_stop_exit(0) : ft_app_fail(app, st, &err);
}
