/*
 * The stages and what is known about them: replay, score and sink, each a thread over the bus and the store.  The
 * single commands run one of them, `run` and `demo` all three in one process.
 *
 *     CSV → replay → transactions → score → scoring → sink → fraud_scores
 *
 * Counters are written by the stage's own thread and may be read by any (relaxed atomics, no locks).
 */
#ifndef FRAUDTOP_PIPELINE_H
#define FRAUDTOP_PIPELINE_H

#include <stdatomic.h>
#include <stdint.h>

#include "fraudtop/bus.h"
#include "fraudtop/config.h"
#include "fraudtop/hist.h"
#include "fraudtop/rows.h"
#include "fraudtop/scoring.h"
#include "fraudtop/store.h"

enum ft_metric {
    FT_M_READ,          /* rows read by replay, bad ones included */
    FT_M_REJECTED,      /* bad rows, in quarantine */
    FT_M_SENT,          /* handed to Kafka */
    FT_M_ACKED,         /* acknowledged by Kafka */
    FT_M_RECEIVED,      /* messages read by the scorer */
    FT_M_SCORED,        /* verdicts produced and acknowledged */
    FT_M_FLAGGED,       /* of them flagged */
    FT_M_REPEATED,      /* messages that came a second time */
    FT_M_DEAD,          /* dead-lettered by the scorer */
    FT_M_SINK_RECEIVED, /* verdicts read by the sink */
    FT_M_STORED,        /* new rows committed */
    FT_M_SINK_REPEATED, /* ids that were stored already */
    FT_M_SINK_DEAD,     /* dead-lettered by the sink */
    FT_M_RETRIES,       /* batches repeated after trouble */
    FT_N_METRICS
};
extern const char *const ft_metric_name[FT_N_METRICS]; /* as in heartbeats and --json */

enum ft_stage_state {
    FT_STAGE_STARTING,
    FT_STAGE_RUNNING,
    FT_STAGE_WAITING,
    FT_STAGE_PAUSED,
    FT_STAGE_RESTORING,
    FT_STAGE_DONE,
    FT_STAGE_FAILED
};

struct ft_counters {
    _Atomic uint64_t n[FT_N_METRICS];
    _Atomic int64_t lag; /* messages between what was read and the end; -1 unknown */
    _Atomic int state;   /* enum ft_stage_state */
};

static inline void ft_count(struct ft_counters *c, enum ft_metric m, uint64_t by)
{
    uint64_t v = atomic_load_explicit(&c->n[m], memory_order_relaxed);
    atomic_store_explicit(&c->n[m], v + by, memory_order_relaxed);
}
static inline uint64_t ft_counted(const struct ft_counters *c, enum ft_metric m)
{
    return atomic_load_explicit(&c->n[m], memory_order_relaxed);
}

/* ---- what the stages of a process share --------------------------------------------------------------- */

/* Names of the topics; state is the changelog of the group. */
struct ft_topics {
    char transactions[128], transactions_dlq[128], scoring[128], scoring_dlq[128];
    char control[128], status[128], state[128];
    int partitions, replication;
    int64_t retention_ms;
};
void ft_topics_from(struct ft_topics *t, const struct ft_config *cfg);
/* Makes the topics that are missing. */
enum ft_status ft_topics_ensure(struct ft_bus *bus, const struct ft_topics *t, int timeout_ms,
                                struct ft_err *err);

/*
 * The secret of the customers' keys: 32 hexadecimal digits in a file of mode 0600, made at first use.  path NULL:
 * key.secret in state_dir.
 */
enum ft_status ft_secret_load(uint8_t out[16], const char *path, const char *state_dir,
                              struct ft_err *err);
/* Eight hexadecimal digits that tell secrets apart and tell nothing about them. */
void ft_secret_print(const uint8_t secret[16], char out[9]);

struct ft_control;

/* Given to every stage of a process; belongs to the caller and outlives the stages. */
struct ft_pipe {
    struct ft_bus *bus;
    struct ft_topics topics;
    uint8_t secret[16];
    struct ft_control *control; /* what is in force; NULL: only what the stage was given */
};

/* ---- a stage: one thread ------------------------------------------------------------------------------ */

struct ft_stage;

/* Asks it to finish what it has in hand and end; from any thread. */
void ft_stage_stop(struct ft_stage *s);
bool ft_stage_ended(const struct ft_stage *s);
/* Waits up to timeout_ms (-1: for ever); FT_AGAIN: not ended yet; else how it ended (FT_OK after a stop). */
enum ft_status ft_stage_join(struct ft_stage *s, int timeout_ms, struct ft_err *err);
/* After a join. NULL is fine. */
void ft_stage_free(struct ft_stage *s);
struct ft_counters *ft_stage_counters(struct ft_stage *s);

/* ---- replay ------------------------------------------------------------------------------------------- */

enum ft_ids { FT_IDS_ROW, FT_IDS_TIME, FT_IDS_RANDOM };

struct ft_replay_opts {
    const char *const *files; /* none: the journal's of the run that is resumed */
    size_t n_files;
    const char *label;           /* column, or NULL */
    const char *const *need;     /* columns that must be there */
    const char *const *required; /* of them those whose cell must not be empty */
    size_t n_need, n_required;
    int stop_fd;    /* readable: give up waiting for a pipe; 0: none */
    uint64_t limit; /* rows; 0: all */
    double rate;    /* rows a second; 0: no limit */
    double speed;   /* times event time; 0: not by event time */
    enum ft_ids ids;
    const char *quarantine; /* NULL: in the state folder under the run's id */
    const char *state_dir;
    const char *resume; /* RUN to be continued */
    const char *run_id; /* identity of a new run, by hand */
    bool strict;        /* a bad row ends it */
    bool no_journal;
};

/* Checks files, header and journal; sends nothing yet. */
enum ft_status ft_replay_new(struct ft_stage **out, const struct ft_pipe *pipe,
                             const struct ft_replay_opts *opts, struct ft_err *err);
enum ft_status ft_replay_start(struct ft_stage *s, struct ft_err *err);
/* What ft_replay_new says of files and headers, without a run. */
enum ft_status ft_replay_check(const struct ft_replay_opts *opts, struct ft_err *err);
/* Any thread, at any time. */
void ft_replay_pause(struct ft_stage *s, bool paused);
void ft_replay_rate(struct ft_stage *s, double rate);

struct ft_replay_status {
    struct ft_run run;
    char run_text[FT_RUN_TEXT + 1];
    char file[FT_PATH_MAX]; /* read just now */
    char quarantine[512];   /* empty: no bad row yet */
    char event_clock[24];
    char error[160]; /* what it waits for; empty: nothing */
    uint64_t bytes_done, bytes_total;
    double rate, speed;
    int64_t started_ms; /* wall clock, of the run */
    bool paused, resumable, read_all;
    struct {
        char reason[64];
        uint64_t rows, first_line;
    } reject[8];
    size_t n_reject;
};
void ft_replay_status(struct ft_stage *s, struct ft_replay_status *out);

/* ---- score -------------------------------------------------------------------------------------------- */

struct ft_score_opts {
    const struct ft_scorer *scorer; /* shared by all threads */
    bool model_given;               /* by hand: as threshold_given */
    /* A model that was put into force meanwhile; loaded once, kept by whoever gives it.  NULL: none can be had. */
    enum ft_status (*load)(void *user, const char *model, const struct ft_scorer **out,
                           struct ft_err *err);
    void *user;
    const struct ft_scorer *challenger; /* scored too, for comparison; or NULL */
    const char *group;
    double threshold;     /* until the control topic says otherwise */
    bool threshold_given; /* by hand: then only what is put into force from now on changes it */
    double sample;        /* share of unflagged ones that is sent with its data, 0 to 1 */
    size_t reasons;       /* with each flagged verdict, at the most */
    bool exactly_once;    /* results and offsets in one transaction */
    int commit_ms;        /* interval of commits; 0: 500, exactly once 100 */
    int state_ms;         /* the same for a model with state; 0: 1,000 */
    bool rebuild_state;   /* make the state anew from the transactions topic */
    size_t queued_kbytes, queued_messages; /* as in ft_consumer_opts */
    int linger_ms;                         /* -1: the table's default */
};
enum ft_status ft_score_start(struct ft_stage **out, const struct ft_pipe *pipe,
                              const struct ft_score_opts *opts, struct ft_err *err);
struct ft_score_status {
    char model[128];  /* "seed-004 1" */
    double threshold; /* in force here */
    int partitions;
    uint64_t customers, state_bytes;
    double restored; /* 0 to 1 */
    char error[160];
    bool
        no_key; /* messages without a key came: a customer's state is that of each partition alone */
};
void ft_score_status(struct ft_stage *s, struct ft_score_status *out);

/* ---- sink --------------------------------------------------------------------------------------------- */

struct ft_sink_opts {
    const char *conninfo;
    const char *group;
    size_t batch_rows;                     /* 0: 1,000 */
    int batch_ms;                          /* 0: 5 */
    size_t queued_kbytes, queued_messages; /* as in ft_consumer_opts */
    int64_t started_ms;                    /* wall clock: latency counts what was due since */
};
enum ft_status ft_sink_start(struct ft_stage **out, const struct ft_pipe *pipe,
                             const struct ft_sink_opts *opts, struct ft_err *err);
/* Adds due to committed, microseconds, to what is there: of everything, and of the last ten seconds; NULL: not asked. */
void ft_sink_latency(struct ft_stage *s, struct ft_hist *all, struct ft_hist *recent);
void ft_sink_error(struct ft_stage *s, char *out, size_t size); /* empty: nothing to complain of */

/* ---- control and heartbeats --------------------------------------------------------------------------- */

/* What the topic fraudtop.control says is in force. */
struct ft_in_force {
    bool has_threshold, has_sample;
    double threshold, sample;
    int64_t threshold_ms; /* wall clock: when it was put into force */
    char model[256];      /* as for -m; empty: what the command line said */
    int64_t model_ms;     /* when that was put into force */
};
struct ft_run_control {
    bool known, paused, has_rate;
    double rate;
};

struct ft_control_opts {
    struct ft_bus *bus;
    const struct ft_topics *topics;
    const char *role;      /* "replay", "score", "sink", "run", "demo" */
    const uint8_t *secret; /* for its fingerprint; NULL: none */
    const char *model;     /* "seed-004 1"; NULL: none */
    bool topics_made;      /* else heartbeats begin when the control topic has been read */
    const char
        *copy_conninfo; /* copy control and status into this database (the sink does); NULL: no */
};
/* A thread that reads the control topic, and one that sends a heartbeat a second.  Never waits for Kafka at the start. */
enum ft_status ft_control_start(struct ft_control **out, const struct ft_control_opts *opts,
                                struct ft_err *err);
/* Stages whose counters go into the heartbeat; they outlive the control.  run: of a replay, else NULL. */
void ft_control_add(struct ft_control *c, struct ft_stage *s);
void ft_control_remove(struct ft_control *c, struct ft_stage *s); /* before it is freed */
/* The next heartbeat at once: something has changed that others wait to see. */
void ft_control_beat(struct ft_control *c);
/* What a heartbeat would say now; any thread. */
void ft_control_heartbeat(struct ft_control *c, struct ft_buf *b);
void ft_control_stop(struct ft_control *c); /* and frees; a last heartbeat says "gone" */
/* Cheap.  seq changes with every change; *out is written when it differs from *seq. */
bool ft_control_get(struct ft_control *c, uint64_t *seq, struct ft_in_force *out);
/* True once everything that lay in the control topic at the start is known. */
bool ft_control_ready(struct ft_control *c);
void ft_control_of_run(struct ft_control *c, const struct ft_run *run, struct ft_run_control *out);
/* Puts a record on the control topic and waits for its acknowledgement.  key: "threshold", "model", "sample" or
 * "run/RUN"; json: docs/formats.md. */
enum ft_status ft_control_put(struct ft_bus *bus, const struct ft_topics *topics, const char *key,
                              const char *json, int timeout_ms, struct ft_err *err);

#endif
