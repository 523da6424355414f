/*
 * What every command is given, and the table of commands.  One file a command: src/app/cmd_NAME.c holds
 * ft_cmd_NAME and little else; main reads settings, finds the command and calls it.
 */
#ifndef FT_APP_H
#define FT_APP_H

#include <stdio.h>

#include "fraudtop/config.h"
#include "fraudtop/log.h"
#include "fraudtop/status.h"

struct ft_app {
    struct ft_config *cfg;   /* all settings, merged */
    const char *const *args; /* words of the command line that are no options */
    size_t n_args;
    bool json, quiet,
        progress;          /* progress: standard error is a terminal or plain lines are wanted */
    const char *data_dir;  /* installed data folder: models/ and schema/ below it */
    const char *state_dir; /* $XDG_STATE_HOME/fraudtop (made, 0700); as root /var/lib/fraudtop */
};

struct ft_command {
    const char *name;
    int bit;                        /* enum ft_cmd_bit: which options of the table it takes */
    const char *args;               /* "FILE..." */
    const char *summary;            /* one line */
    const char *examples;           /* three lines or so, shown first by --help */
    int (*run)(struct ft_app *app); /* exit status */
};
extern const struct ft_command ft_commands[];
extern const size_t ft_n_commands;

/*
 * Says what went wrong, on standard error (with --json as an object on standard output's stead: error/1), and gives
 * the exit status for it.
 */
int ft_app_fail(const struct ft_app *app, enum ft_status st, const struct ft_err *err);

/*
 * The stop flag.  Signals are blocked in every thread from the start of main and taken by one thread (signalfd); SIGINT,
 * SIGTERM and SIGHUP raise the flag, a second one ends the process at once.  0 while nothing was asked.
 */
int ft_stop_signal(void);
volatile int *ft_stop_flag(void); /* the same, for modules that are given a pointer */
void ft_stop_raise(int signal);
/* Readable once the flag is up; for poll. */
int ft_stop_fd(void);
/* Exit status after a clean stop: 130, 143, 129, or status when nothing was asked. */
int ft_stop_exit(int status);

/*
 * Progress on standard error: a bar with rate and time left on a terminal (five times a second), else a plain line
 * every 10 s; nothing with --quiet or --progress none.  total 0: unknown.
 */
struct ft_progress {
    const char *what; /* "score", "replay" */
    int64_t start_ms, last_ms;
    bool enabled, terminal, json, shown;
};
void ft_progress_start(struct ft_progress *p, const struct ft_app *app, const char *what);
/* detail: "12 rejected"; NULL: none.  done and total in the same unit (bytes or rows), rows for the rate. */
void ft_progress_show(struct ft_progress *p, uint64_t done, uint64_t total, uint64_t rows,
                      const char *detail);
void ft_progress_end(struct ft_progress *p);

int ft_cmd_console(struct ft_app *app);
int ft_cmd_demo(struct ft_app *app);
int ft_cmd_replay(struct ft_app *app);
int ft_cmd_score(struct ft_app *app); /* with files: ft_score_files, else the stage */
int ft_score_files(struct ft_app *app);
int ft_cmd_sink(struct ft_app *app);
int ft_cmd_run(struct ft_app *app);
int ft_cmd_evaluate(struct ft_app *app);
int ft_cmd_explain(struct ft_app *app);
int ft_cmd_features(struct ft_app *app);
int ft_cmd_threshold(struct ft_app *app);
int ft_cmd_generate(struct ft_app *app);
int ft_cmd_topics(struct ft_app *app);
int ft_cmd_cases(struct ft_app *app);
int ft_cmd_model(struct ft_app *app);
int ft_cmd_bench(struct ft_app *app);
int ft_cmd_doctor(struct ft_app *app);
int ft_cmd_watch(struct ft_app *app);
int ft_cmd_handover(struct ft_app *app);
int ft_cmd_snapshot(struct ft_app *app);
int ft_cmd_completion(struct ft_app *app);

#endif
