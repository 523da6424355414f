/*
 * Inside of the console's feed (src/app only): what its threads share, the picture the reader makes of the database,
 * and the questions that the worker answers.
 */
#ifndef FT_CONSOLE_ASK_H
#define FT_CONSOLE_ASK_H

#include <pthread.h>
#include <stdatomic.h>

#include "alert.h"
#include "console.h"
#include "fraudtop/cases.h"
#include "watch.h"

/* ---- what the database shows, read at once -------------------------------------------------------------- */

struct ft_picture;
struct ft_picture *ft_picture_new(void);
void ft_picture_free(struct ft_picture *p);
/* What the reader keeps between two readings. */
struct ft_picture_run {
    char run[FT_RUN_TEXT + 1];
    int64_t since_ms, slow_ms, hours_ms;
    struct ft_scores before; /* what the run's first hour held when it was first seen */
};
/* Fills p; before: the picture of the last reading.  run: of the replay, "" when there is none; since_ms: wall clock,
 * start of the window "this run". */
enum ft_status ft_picture_read(struct ft_picture *p, const struct ft_picture *before,
                               struct ft_picture_run *r, struct ft_cases *s, const char *run,
                               int64_t since_ms, struct ft_err *err);
/* Copies it into out; the list goes to shown (FT_LIVE_FLAGGED entries), which out points to. */
void ft_picture_show(const struct ft_picture *p, struct ft_live *out, struct ft_flagged *shown);

/* Rows above a threshold, by bins: exact where the threshold lies on the edge of a bin. */
uint64_t ft_scores_above(const struct ft_scores *s, double threshold);

/* ---- the console ---------------------------------------------------------------------------------------- */

struct ft_job {
    struct ft_job *next;
    struct ft_answer answer;
    char *args;
};

/* A worker and what waits for it.  Whoever waits for Kafka or writes a long file holds up no decision. */
enum { FT_LANE_DATABASE, FT_LANE_OTHER, FT_LANE_EXPORT, FT_N_LANES };
struct ft_lane {
    struct ft_console *c;
    pthread_cond_t asked;
    struct ft_job *first, **end;
};

/* How far behind a partition was when it was last looked at: for what it gains a second. */
struct ft_part_seen {
    char topic[128];
    int32_t partition;
    int64_t lag, at_ms;
};
#define FT_PARTS_SEEN 64

struct ft_flag_count {
    int64_t at_ms;
    uint64_t n;
};

struct ft_console {
    struct ft_app *app;
    struct ft_console_opts opts;
    struct ft_pipeline *pipeline; /* not looked at before open */
    struct ft_watch *watch;
    struct ft_alert *alert;
    struct ft_feed feed;
    char user[32], host[48], brokers[96];
    bool demo, read_only;
    double threshold; /* of model or command line: while the control topic says nothing */
    int64_t since_ms; /* wall clock of the start */
    int wake_fd;
    pthread_t thread[2 + FT_N_LANES]; /* and the reader, and who connects */
    int n_threads;
    _Atomic bool stop, retry, open;
    _Atomic int waiting; /* files to be replayed after the present one */
    pthread_t opener;
    bool opener_runs;
    enum ft_status opened; /* and open_err: the opener's until it has ended */
    struct ft_err open_err;

    /* the reader's thread alone */
    struct ft_picture_run of_run;

    /* the screen's thread alone */
    struct ft_flagged shown[FT_LIVE_FLAGGED];
    struct ft_process process[FT_WATCH_PROCESSES];
    struct ft_in_force force;
    struct ft_flag_count flag_count[2];
    bool said_no_key;
    uint64_t force_seq;

    pthread_mutex_t lock;            /* of the rest */
    bool no_rights;                  /* the database role's: it only reads */
    struct ft_picture *front, *back; /* back: the reader's own until it is exchanged */
    uint64_t reads;
    struct ft_part pg, model;
    char message[200];
    uint64_t message_seq;
    bool message_error;
    struct ft_lane lane[FT_N_LANES];
    struct ft_job *done_jobs, **done_end;
    uint64_t tickets;

    /* the database worker's alone */
    struct ft_cases *cases;

    /* the other worker's alone */
    struct ft_stage *replay; /* begun on screen */
    struct ft_order *order;  /* its */
    struct ft_order *orders; /* that wait until it has ended */
    struct ft_part_seen part_seen[FT_PARTS_SEEN];
};

/* As the settings have it; texts belong to the console. */
struct ft_cases_opts ft_console_cases(const struct ft_console *c);

/* ---- questions ------------------------------------------------------------------------------------------ */

bool ft_ask_known(enum ft_ask_kind kind);
int ft_ask_lane(enum ft_ask_kind kind);
/* Answers job->args into job->answer; in the thread of its lane. */
void ft_ask_do(struct ft_console *c, struct ft_job *job);
/* Lets go of what the worker of a lane holds; stops a replay that it began. */
void ft_ask_fini(struct ft_console *c, int lane);

struct cJSON;

/* Members of the arguments; what was left empty was not said (NULL). */
const char *ft_ask_word(const struct cJSON *args, const char *name);
double ft_ask_number(const struct cJSON *args, const char *name, double otherwise);
bool ft_ask_true(const struct cJSON *args, const char *name);

/* console_export.c */
enum ft_status ft_ask_export(struct ft_console *c, const struct cJSON *args, struct cJSON *out,
                             struct ft_err *err);

/* console_files.c */
enum ft_status ft_ask_files(struct ft_console *c, const struct cJSON *args, struct cJSON *out,
                            struct ft_err *err);
enum ft_status ft_ask_rejects(struct ft_console *c, const struct cJSON *args, struct cJSON *out,
                              struct ft_err *err);

/* console_replay.c */
enum ft_status ft_ask_replay_start(struct ft_console *c, const struct cJSON *args,
                                   struct cJSON *out, struct ft_err *err);
enum ft_status ft_ask_replay_pause(struct ft_console *c, const struct cJSON *args,
                                   struct cJSON *out, struct ft_err *err);
enum ft_status ft_ask_replay_stop(struct ft_console *c, const struct cJSON *args, struct cJSON *out,
                                  struct ft_err *err);
enum ft_status ft_ask_replay_rate(struct ft_console *c, const struct cJSON *args, struct cJSON *out,
                                  struct ft_err *err);
/* The replay of this process that runs; NULL: none. */
struct ft_stage *ft_own_replay(const struct ft_console *c);
/* 1 for the file that comes next, and so on; 0: it does not wait. */
int ft_replay_waits(const struct ft_console *c, const char *path);
/* Says how the last one ended and begins the next; after how many ms to look again, -1: not before a question. */
int ft_replay_next(struct ft_console *c);
void ft_replay_fini(struct ft_console *c);

/* console_topics.c */
enum ft_status ft_ask_partitions(struct ft_console *c, const struct cJSON *args, struct cJSON *out,
                                 struct ft_err *err);
enum ft_status ft_ask_topics(struct ft_console *c, const struct cJSON *args, struct cJSON *out,
                             struct ft_err *err);
enum ft_status ft_ask_messages(struct ft_console *c, const struct cJSON *args, struct cJSON *out,
                               struct ft_err *err);

#endif
