/* The screen over a feed, for the console and the demo (src/app only). */
#ifndef FT_SCREEN_RUN_H
#define FT_SCREEN_RUN_H

#include "app.h"
#include "fraudtop/feed.h"

/* FT_EUSAGE with what to do instead unless both standard input and output are terminals. */
enum ft_status ft_screen_terminal(struct ft_err *err);
struct ft_ui_then;
/* Log to the file, screen up, until q or a signal; then the log is where it was.  then: what the user wants next, on the
 * first start; NULL: nothing else can be started.
 * drawn: see ft_ui_opts. */
enum ft_status ft_screen_run(struct ft_app *app, struct ft_feed *feed, struct ft_ui_then *then,
                             void (*drawn)(void *self), void *self, struct ft_err *err);
/* Becomes that: the same program with the same options, anew.  Comes back only when there is nothing to do, or the
 * program cannot be started. */
void ft_screen_then(const struct ft_ui_then *then);
/* A scripted scene instead of the pipeline (--scene); the exit status. */
int ft_screen_scene(struct ft_app *app);
/* FT_EUSAGE names the scenes; --seed and --clock from the settings. */
struct ft_scene;
enum ft_status ft_screen_open_scene(struct ft_scene **out, struct ft_app *app, struct ft_err *err);

#endif
