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

struct ft_command;

struct ft_app {
    const struct ft_command *command;
    struct ft_config *cfg; /* all settings, merged */
    const char *const
        *args; /* words of the command line that are no options, without the command */
    size_t n_args;
    bool json, quiet,
        progress; /* progress: standard error is a terminal or plain lines are wanted */
    const char
        *data_dir; /* installed data folder: models/ and schema/ below it; "" when there is none */
    const char *
        state_dir; /* $XDG_STATE_HOME/fraudtop (made, 0700); as root /var/lib/fraudtop (0711: the user
                              postgres must reach its own folder below it; so give files mode 0600) */
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

/* Reads the settings, finds the command, runs it; the exit status of the process. */
int ft_main(int argc, char **argv, char *const *environ);

/*
 * Says what went wrong, on standard error (with --json as an object {"schema":"error/1","code","message","hint"}), and
 * gives the exit status for it.  After a stop (FT_ESTOPPED) nothing is said.
 */
int ft_app_fail(const struct ft_app *app, enum ft_status st, const struct ft_err *err);
/* The same, for wrong usage that a command finds itself: wrong words, missing files. */
int ft_app_usage(const struct ft_app *app, const char *fmt, ...) FT_PRINTF(2, 3);

/* Settings that more than one command reads in the same way. */
double
ft_app_rate(const struct ft_app *app); /* tx/s of a replay, 0: no limit (the default of run) */
const char *ft_app_group(const struct ft_app *app, const char *stage); /* "score" or "sink" */
/* The model's name or path: -m, else seed-004, in demo the best there is. */
const char *ft_app_model(const struct ft_app *app);
/* The name of the model's folder in what a verdict says ("velocity 1").  false: it is none; strangers write verdicts, too, and no path
 * is taken from them. */
bool ft_model_name(const char *verdict_model, char *name, size_t size);
/* The challenger's: --challenger, else in demo the model that the pipeline began with (unless -m chose); NULL: none. */
const char *ft_app_challenger(const struct ft_app *app);
/* Loads a model by name (NULL: ft_app_model), with --force-model and --state-gap.  A model that cannot be used is
 * FT_EUSAGE: the scoring commands end with 2. */
struct ft_scorer;
enum ft_status ft_app_scorer(const struct ft_app *app, const char *name, struct ft_scorer **out,
                             struct ft_err *err);
/* The secret of the customers' keys: key.secret, else from key.file or the state folder (made there at first use). */
enum ft_status ft_app_secret(const struct ft_app *app, uint8_t out[16], struct ft_err *err);
/* -b or -d was set anywhere (for -d also libpq's PGHOST, PGSERVICE, ...); else run and demo embed the service. */
bool ft_app_has_brokers(const struct ft_app *app);
bool ft_app_has_database(const struct ft_app *app);
/* For ft_bus_open: brokers NULL when embed. */
struct ft_bus_opts ft_app_bus_opts(const struct ft_app *app, bool embed);
/* Milliseconds a command waits for a service at its start; -1: for ever (score and sink, unless it was set). */
int ft_app_connect_ms(const struct ft_app *app);
/* Reads a file of at most max bytes; free() it; always followed by a zero byte. */
enum ft_status ft_app_read_file(const char *path, size_t max, char **text, size_t *n,
                                struct ft_err *err);

/* Folders; made by ft_paths_find, of whose user they are section 13 and 18 of the design tell. */
struct ft_paths {
    char config[1024]; /* file: $XDG_CONFIG_HOME/fraudtop/config */
    char state[1024];  /* folder */
    char data[1024];   /* folder; empty: none */
};
void ft_paths_find(struct ft_paths *p, const char *data_dir);
/* Makes a folder and those above it; FT_EIO. */
enum ft_status ft_paths_make(const char *path, unsigned mode, struct ft_err *err);

/*
 * The stop flag.  Signals are blocked in every thread from the start of main and taken by one thread; SIGINT, SIGTERM
 * and SIGHUP raise the flag, a second one ends the process at once.  0 while nothing was asked.
 * A child process inherits the blocked signals: unblock all of them between fork and exec.
 */
#define FT_STOP_QUIT (-1) /* the user left the console: no signal, exit status 0 */
int ft_stop_signal(void);
volatile int *ft_stop_flag(void); /* the same, for modules that are given a pointer */
void ft_stop_raise(int signal);
/* Readable once the flag is up; for poll. */
int ft_stop_fd(void);
/* Exit status after a clean stop: 130, 143, 129, or status when nothing was asked. */
int ft_stop_exit(int status);
/* Called before the process ends at a second signal (async: only write, tcsetattr and the like), or NULL. */
void ft_stop_before_exit(void (*restore)(void));
/* Blocks the signals and starts the thread; screen: also blocks those that the console takes itself (SIGWINCH, SIGTSTP,
 * SIGCONT, SIGUSR1). */
enum ft_status ft_stop_init(bool screen, struct ft_err *err);

/*
 * Progress on standard error: a bar with rate and time left on a terminal (five times a second), else a plain line
 * every 10 s; nothing with --quiet or --progress none.  total 0: unknown.
 */
struct ft_progress {
    const char *what; /* "score", "replay" */
    int64_t start_ms, last_ms;
    bool enabled, terminal, json;
    int shown; /* columns of the line that stands on the terminal */
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
