/*
 * From settings to a running pipeline (src/app only): what `replay`, `score`, `sink`, `run`, `demo` and the console
 * share.
 *
 *     ft_pipeline_open     model, broker and database as configured or embedded; connects to nothing
 *     ft_pipeline_connect  waits for the services, makes topics and schema
 *     ft_pipeline_start    heartbeats, then the stages asked for
 *     ft_pipeline_stop     the stages end what they have in hand, by a deadline
 *     ft_pipeline_close
 */
#ifndef FT_SERVICES_H
#define FT_SERVICES_H

#include <pthread.h>

#include "app.h"
#include "fraudtop/pipeline.h"

#define FT_MAX_SCORERS 32
#define FT_MAX_WRITERS 16
#define FT_MAX_MODELS 64

enum ft_pipeline_part {
    FT_WITH_SCORE = 1,
    FT_WITH_SINK = 2,
    FT_WITH_REPLAY = 4,
    FT_WITH_MODEL = 8, /* without scoring: only its columns */
    FT_EMBED = 16,     /* what is configured nowhere runs inside; of demo everything */
    FT_WITH_STORE = 32 /* without a sink: the database is only read */
};

struct ft_pipeline {
    struct ft_app *app;
    int parts;
    const char *role;
    struct ft_pipe pipe; /* bus, topics, secret, control */
    struct ft_pg *pg;    /* the private server, when embedded */
    const char *conninfo;
    bool connected; /* by ft_pipeline_connect */
    struct ft_scorer *scorer, *challenger;
    struct ft_scorer *loaded[FT_MAX_MODELS]; /* put into force meanwhile */
    size_t n_loaded;
    pthread_mutex_t *lock; /* of loaded */
    struct ft_stage *replay, *score[FT_MAX_SCORERS], *sink[FT_MAX_WRITERS];
    size_t n_score, n_sink;
    int64_t started_ms; /* wall clock */
};

enum ft_status ft_pipeline_open(struct ft_pipeline *p, struct ft_app *app, const char *role,
                                int parts, struct ft_err *err);
enum ft_status ft_pipeline_connect(struct ft_pipeline *p, struct ft_err *err);
/* Heartbeats, sinks, scorers; the replay is begun apart. */
enum ft_status ft_pipeline_start(struct ft_pipeline *p, struct ft_err *err);
/* The model that a verdict names ("velocity 1"), loaded where it was not yet; NULL: it is not among the models here, or in
 * another version.  Belongs to p. */
const struct ft_scorer *ft_pipeline_scorer_of(struct ft_pipeline *p, const char *model);
/* From the settings: rate, limit, label, files, ... */
void ft_pipeline_replay_opts(const struct ft_pipeline *p, struct ft_replay_opts *out);
enum ft_status ft_pipeline_replay(struct ft_pipeline *p, const struct ft_replay_opts *opts,
                                  struct ft_err *err);
/* Begins what ft_pipeline_replay prepared. */
enum ft_status ft_pipeline_replay_start(struct ft_pipeline *p, struct ft_err *err);
/* Scorers and sinks have partitions: what is sent now is answered at once. */
bool ft_pipeline_ready(const struct ft_pipeline *p);
/* The sum over all stages. */
uint64_t ft_pipeline_counted(const struct ft_pipeline *p, enum ft_metric m);
/* Messages behind, all scorers and sinks; 0 while not known. */
int64_t ft_pipeline_lag(const struct ft_pipeline *p);
/* Due to committed, microseconds, over all sinks. */
void ft_pipeline_latency(const struct ft_pipeline *p, struct ft_hist *out);
/* What a sink has to complain of; empty: nothing. */
void ft_pipeline_sink_error(const struct ft_pipeline *p, char *out, size_t size);
/* The first stage that failed: its status, else FT_OK. */
enum ft_status ft_pipeline_failed(const struct ft_pipeline *p, struct ft_err *err);
/* All stages; false when one has not ended in time: then only _exit helps. */
bool ft_pipeline_stop(struct ft_pipeline *p, int timeout_ms);
void ft_pipeline_close(struct ft_pipeline *p);
/* The last thing that a command does: closes, or ends the process with this status when a stage has not ended, or when
 * closing takes longer than a second after a stop (a client library that waits for a service). */
int ft_pipeline_end(struct ft_pipeline *p, bool ended, int status);

/* ---- what is in force, from the command line and the screens (in_force.c) ---- */

/* Who acts: --as, else the login name (of whoever called sudo). */
void ft_app_who(const struct ft_app *app, char *out, size_t size);
/* The record of the control topic: {"KIND":value,"who","note"}. */
enum ft_status ft_in_force_json(const struct ft_app *app, const char *kind, double value,
                                const char *note, char *out, size_t size, struct ft_err *err);
enum ft_status ft_in_force_text(const struct ft_app *app, const char *kind, const char *value,
                                const char *note, char *out, size_t size, struct ft_err *err);
/* Puts it there, over a bus of its own. */
enum ft_status ft_in_force_put(struct ft_app *app, const char *kind, const char *json,
                               struct ft_err *err);

#endif
