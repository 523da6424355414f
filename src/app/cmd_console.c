/* fraudtop: the console, on the configured broker and database. */
#include "console.h"
#include "fraudtop/scene.h"
#include "screen.h"

/* Without a model the console still works and says so. */
static enum ft_status open_pipeline(struct ft_console_opts *opts, struct ft_err *err)
{
    struct ft_pipeline *p = opts->pipeline;
    enum ft_status st =
        ft_pipeline_open(p, opts->app, "console", FT_WITH_MODEL | FT_WITH_STORE, err);

    if (st != FT_OK) {
        opts->no_model = *err;
        st = ft_pipeline_open(p, opts->app, "console", FT_WITH_STORE, err);
    }
    return st == FT_OK ? ft_pipeline_start(p, err) : st;
}

int ft_cmd_console(struct ft_app *app)
{
    struct ft_pipeline p = {.app = app};
    struct ft_console *c = NULL;
    struct ft_console_opts opts = {
        .app = app,
        .pipeline = &p,
        .open = open_pipeline,
        .connect = ft_cfg_flag(app->cfg, "topics.create"),
        .read_only = ft_cfg_flag(app->cfg, "review.read_only"),
        .alerts = true,
    };
    struct ft_ui_then then = {FT_UI_END, ""};
    struct ft_err err;
    enum ft_status st;

    if (app->n_args)
        return ft_app_usage(app, "the console takes no words: \"%s\"", app->args[0]);
    if (ft_cfg_text(app->cfg, "display.scene"))
        return ft_screen_scene(app);
    st = ft_screen_terminal(&err);
    if (st == FT_OK)
        st = ft_console_start(&c, &opts, &err);
    if (st == FT_OK)
        st = ft_screen_run(app, ft_console_feed(c), &then, ft_console_open, c, &err);
    if (st == FT_OK)
        st = ft_console_failed(c, &err);
    ft_console_stop(c);
    if (st != FT_OK || then.next != FT_UI_END)
        ft_pipeline_close(&p);
    if (st != FT_OK)
        return ft_app_fail(app, st, &err);
    ft_screen_then(&then);
    ft_stop_raise(-1); /* no library may hold up the end for long, whatever it waits for */
    return ft_pipeline_end(&p, true, ft_stop_exit(0));
}
