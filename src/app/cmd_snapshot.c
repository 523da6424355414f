/* fraudtop snapshot: one screen as text, without a terminal. */
#include <stdlib.h>
#include <string.h>

#include "console.h"
#include "fraudtop/scene.h"
#include "screen.h"

#define READY_MS 3000

static enum ft_status draw(struct ft_app *app, struct ft_feed *feed, struct ft_err *err)
{
    const char *size = ft_cfg_text(app->cfg, "display.size");
    const char *format = app->json ? "json" : ft_cfg_text(app->cfg, "display.format");
    struct ft_ui_from o;
    int cols, rows, end = 0;
    char *text;

    if (sscanf(size, "%dx%d%n", &cols, &rows, &end) != 2 || size[end] || cols < 1 || rows < 1 ||
        cols > 1000 || rows > 1000)
        return ft_fail(err, FT_EUSAGE, "--size %s: columns x rows, as 80x24", size);
    ft_ui_from(&o, app);
    text = ft_ui_snapshot(&o.ui, feed, o.ui.first, cols, rows, format);
    ft_ui_from_fini(&o);
    if (!text)
        return ft_fail(err, FT_ENOMEM, "no memory for a picture of %d x %d", cols, rows);
    fputs(text, stdout);
    free(text);
    return fflush(stdout) == 0 ? FT_OK : ft_fail(err, FT_EIO, "standard output cannot be written");
}

static enum ft_status of_pipeline(struct ft_app *app, struct ft_err *err)
{
    struct ft_pipeline p;
    struct ft_console *c = NULL;
    struct ft_console_opts co = {.app = app, .pipeline = &p, .read_only = true};
    enum ft_status st = ft_pipeline_open(&p, app, "snapshot", FT_WITH_MODEL | FT_WITH_STORE, err);

    if (st != FT_OK)
        return st;
    st = ft_pipeline_start(&p, err);
    if (st == FT_OK)
        st = ft_console_start(&c, &co, err);
    if (st == FT_OK) { /* two heartbeats of each process make a rate */
        ft_console_ready(c, READY_MS);
        ft_sleep_ms(2200);
        st = draw(app, ft_console_feed(c), err);
    }
    ft_console_stop(c);
    ft_pipeline_close(&p);
    return st;
}

int ft_cmd_snapshot(struct ft_app *app)
{
    struct ft_scene *scene = NULL;
    struct ft_err err;
    enum ft_status st;

    if (app->n_args)
        return ft_app_usage(app, "snapshot takes no words: \"%s\"", app->args[0]);
    if (ft_cfg_text(app->cfg, "display.scene")) {
        st = ft_screen_open_scene(&scene, app, &err);
        if (st == FT_OK) {
            if (ft_cfg_text(app->cfg, "display.clock"))
                ft_scene_at(scene, 60000); /* a minute of the script */
            st = draw(app, ft_scene_feed(scene), &err);
        }
        ft_scene_free(scene);
    } else {
        st = of_pipeline(app, &err);
    }
    return st == FT_OK ? 0 : ft_app_fail(app, st, &err);
}
