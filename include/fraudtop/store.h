/*
 * PostgreSQL: the table fraud_scores and our own tables beside it (docs/formats.md), for writers (the sink) and
 * readers (the console, cases, threshold).  A store belongs to one thread and holds one connection.
 */
#ifndef FRAUDTOP_STORE_H
#define FRAUDTOP_STORE_H

#include "fraudtop/codec.h"

struct ft_store;

/* A position of the sink in the log, kept in the database with the rows it belongs to. */
struct ft_store_offset {
    const char *topic;
    int32_t partition;
    int64_t next_offset;
    struct ft_uuid last_id; /* id of the last verdict before next_offset: tells a topic made anew */
};

/*
 * conninfo: libpq's, "" for its defaults.  A password in it is FT_EUSAGE.  Connects; makes or migrates the schema under
 * an advisory lock when writer, and checks the shape of fraud_scores.  FT_EUNREACHABLE: no answer within timeout_ms;
 * FT_EUSAGE: refused credentials, no such database, a table of another shape (err says what is missing).
 */
enum ft_status ft_store_open(struct ft_store **out, const char *conninfo, bool writer,
                             int timeout_ms, struct ft_err *err);
void ft_store_close(struct ft_store *s);
/* Connects again after FT_EUNREACHABLE; the caller waits between tries. */
enum ft_status ft_store_reconnect(struct ft_store *s, int timeout_ms, struct ft_err *err);

enum ft_status ft_store_offsets(struct ft_store *s, const char *cluster, const char *group,
                                const char *topic, int32_t partition, struct ft_store_offset *out,
                                struct ft_err *err); /* FT_END: none */

/*
 * One transaction: the verdicts whose ids are new, what belongs to them, and the offsets.  *n_new: rows that were
 * new.  FT_EUNREACHABLE: connection, resource or shutdown trouble, the outcome may be unknown: the same call again after
 * ft_store_reconnect.  FT_EINPUT: a row of the batch is bad (class 22 or 23): halve the batch.
 */
enum ft_status ft_store_write(struct ft_store *s, const char *cluster, const char *group,
                              const struct ft_verdict *v, size_t n,
                              const struct ft_store_offset *off, size_t n_off, size_t *n_new,
                              struct ft_err *err);

/* Folds the score counts that batches left into hours and totals, and makes cases of what others wrote.  For a connection
 * beside the writer's, about once a second: a batch behind it would wait. */
enum ft_status ft_store_fold(struct ft_store *s, struct ft_err *err);

/* What the table holds of a run: counted row by row, about half a second for a million. */
struct ft_run_count {
    uint64_t stored, flagged;
    uint64_t tp, fp, tn, fn; /* rows with labels */
};
enum ft_status ft_store_count_run(struct ft_store *s, const struct ft_run *run,
                                  struct ft_run_count *out, struct ft_err *err);

/* What the sink copies from the topics fraudtop.status and fraudtop.control: the newest heartbeat of a process (and the
 * run that it tells of), a record of what is in force.  json is theirs; FT_EINPUT when it is none. */
enum ft_status ft_store_put_process(struct ft_store *s, const char *process, const char *json,
                                    int64_t at_ms, struct ft_err *err);
enum ft_status ft_store_put_in_force(struct ft_store *s, const char *kind, const char *json,
                                     int64_t at_ms, struct ft_err *err);

/* A schema for a load test, and its end with all that it holds.  A store uses it when libpq's options say
 * -csearch_path=SCHEMA.  schema: a plain lower-case name of ours. */
enum ft_status ft_store_scratch_make(const char *conninfo, const char *schema, int timeout_ms,
                                     struct ft_err *err);
enum ft_status ft_store_scratch_drop(const char *conninfo, const char *schema, int timeout_ms,
                                     struct ft_err *err);

/* An outage or another event for the log and the next shift: kind "pg_down", "kafka_down", "lag", ...; ended_ms 0: it goes
 * on; the same kind and at_ms again ends it.  Outages of the database itself are written by ft_store_reconnect. */
enum ft_status ft_store_put_alert(struct ft_store *s, const char *kind, const char *message,
                                  int64_t at_ms, int64_t ended_ms, struct ft_err *err);

/* ---- a private server (product contract, section 9) ---------------------------------------------------- */

struct ft_pg;

/*
 * Finds the server programs, makes the cluster under state_dir when there is none, starts it (or finds the one
 * that runs), and makes the database "fraud".  Call from the main thread.  As root it runs as user postgres, under
 * /var/lib/fraudtop unless state_dir was set.  FT_EUSAGE says which package to install.
 */
struct ft_pg_opts {
    const char *state_dir; /* NULL: $XDG_STATE_HOME/fraudtop, as root /var/lib/fraudtop */
    bool throw_away;       /* tests: a fresh cluster in state_dir, fsync off */
    const char *const
        *settings; /* throw_away: "name=value" for postgres, over ours; ended by NULL */
};
enum ft_status ft_pg_start(struct ft_pg **out, const struct ft_pg_opts *opts, struct ft_err *err);
const char *ft_pg_conninfo(const struct ft_pg *pg); /* for ft_store_open and for psql */
void ft_pg_stop(
    struct ft_pg
        *pg); /* fast stop, waits; a server that was found is left running when others use it */
enum ft_status ft_pg_reset(const struct ft_pg_opts *opts,
                           struct ft_err *err); /* deletes the cluster, if it is ours */

#endif
