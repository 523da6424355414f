/* fraudtop: the console, on the configured broker and database. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "console.h"
#include "fraudtop/scene.h"
#include "screen.h"

/* Without a model the console still opens and says so. */
static enum ft_status open_pipeline(struct ft_pipeline *p, struct ft_app *app,
                                    struct ft_err *no_model, struct ft_err *err)
{
    enum ft_status st = ft_pipeline_open(p, app, "console", FT_WITH_MODEL | FT_WITH_STORE, err);

    no_model->text[0] = '\0';
    if (st == FT_OK)
        return st;
    *no_model = *err;
    return ft_pipeline_open(p, app, "console", FT_WITH_STORE, err);
}

int ft_cmd_console(struct ft_app *app)
{
    struct ft_pipeline p;
    struct ft_console *c = NULL;
    struct ft_console_opts opts = {.app = app, .pipeline = &p, .connect = true, .alerts = true};
    struct ft_ui_then then = {FT_UI_END, ""};
    struct ft_err err, no_model;
    enum ft_status st;

    if (app->n_args)
        return ft_app_usage(app, "the console takes no words: \"%s\"", app->args[0]);
    if (ft_cfg_text(app->cfg, "display.scene"))
        return ft_screen_scene(app);
    st = ft_screen_terminal(&err);
    if (st == FT_OK)
        st = open_pipeline(&p, app, &no_model, &err);
    if (st != FT_OK)
        return ft_app_fail(app, st, &err);
    opts.no_model = no_model.text[0] ? no_model.text : NULL;
    opts.connect = ft_cfg_flag(app->cfg, "topics.create");
    opts.read_only = ft_cfg_flag(app->cfg, "review.read_only");
    st = ft_pipeline_start(&p, &err);
    if (st == FT_OK)
        st = ft_console_start(&c, &opts, &err);
    if (st == FT_OK)
        st = ft_screen_run(app, ft_console_feed(c), &then, &err);
    ft_console_stop(c);
    ft_pipeline_close(&p);
    if (st == FT_OK)
        ft_screen_then(&then);
    return st == FT_OK ? ft_stop_exit(0) : ft_app_fail(app, st, &err);
}
