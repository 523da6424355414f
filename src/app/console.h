/*
 * The pipeline as a feed for the screens: what the console, `demo`, `watch` and `snapshot` share.
 *
 *     heartbeats (watch.c) ─┐
 *     PostgreSQL (reader)  ─┼─▶ ft_live ─▶ screens ─▶ asks ─▶ workers ─▶ answers
 *     health of the bus    ─┘
 *
 * Five threads beside the screen's: one reads heartbeats, one the database once a second, and three answer questions: those
 * that need the database, exports, and the rest.  The screen's thread never waits for any of them.
 */
#ifndef FT_CONSOLE_H
#define FT_CONSOLE_H

#include "fraudtop/feed.h"
#include "fraudtop/ui.h"
#include "services.h"

struct ft_console;

struct ft_console_opts {
    struct ft_app *app;
    struct ft_pipeline *pipeline; /* the caller's, outlives the console */
    /* Opens and starts the pipeline, in a thread of its own, so that the first picture waits for nothing; NULL: it is
     * open. */
    enum ft_status (*open)(struct ft_console_opts *opts, struct ft_err *err);
    struct ft_err no_model; /* why there is none; open may set it */
    bool demo, read_only;
    bool alerts;  /* alert.command is this process's to run */
    bool connect; /* topics and schema are still to be made: done in the background */
};

enum ft_status ft_console_start(struct ft_console **out, const struct ft_console_opts *opts,
                                struct ft_err *err);
struct ft_feed *ft_console_feed(struct ft_console *c);
/* Begins to open what opts.open opens; to be called once the first picture is drawn. */
void ft_console_open(void *console);
/* After the screen has ended: what opts.open failed with.  It raises the stop flag, so that the screen ends. */
enum ft_status ft_console_failed(const struct ft_console *c, struct ft_err *err);
/* A message on the last line; from any thread. */
void ft_console_say(struct ft_console *c, bool error, const char *text);
/* Stops what it started (a replay begun on screen too); bounded. NULL is fine. */
void ft_console_stop(struct ft_console *c);
/* Waits until the database was read once and something is known of Kafka, or timeout_ms: for snapshot and watch. */
bool ft_console_ready(struct ft_console *c, int timeout_ms);

/* The screen's options from the settings; ready for ft_ui_run and ft_ui_snapshot.  The texts live as long as o. */
struct ft_ui_from {
    struct ft_ui_opts ui;
    char state_file[1100], log_file[1100], config_file[1100];
    char *keys, *colours;
};
void ft_ui_from(struct ft_ui_from *o, const struct ft_app *app);
void ft_ui_from_fini(struct ft_ui_from *o);

#endif
