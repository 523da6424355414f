/*
 * The review queue and what else the console and the scripts read from PostgreSQL.  A case is a flagged (or sampled)
 * transaction and its events; a row that somebody put into fraud_scores by hand is one as well.
 *
 * A handle belongs to one thread.  It reads over a read-only connection with a statement time-out of 2 s, and opens a
 * second one when something is to be written.  Errors: FT_EUNREACHABLE (call ft_cases_reconnect, later), FT_EUSAGE (no
 * such case, bad filter, no rights), FT_ECONFLICT (somebody else was first; err says who and what).
 *
 * JSON answers are one object with "schema", written by docs/formats.md; the caller frees them.
 */
#ifndef FRAUDTOP_CASES_H
#define FRAUDTOP_CASES_H

#include "fraudtop/feed.h"
#include "fraudtop/hist.h"
#include "fraudtop/status.h"

struct ft_cases;

struct ft_cases_opts {
    const char *conninfo; /* as for ft_store_open */
    const char *who;      /* --as, or the login name: kept with everything that is written */
    bool read_only;
    bool masked;           /* names and streets: filters cannot ask for them */
    bool hide;             /* JSON answers carry "C." for a first name and "***" for a street */
    int64_t over_limit_ms; /* open for longer is over time; 0: 30 minutes */
    int64_t claim_ms;      /* a claim lapses after; 0: 30 minutes */
    int64_t undo_ms;       /* how long a decision can be undone; 0: 10 minutes */
};

/* Connects and makes the schema where it is missing.  opts' texts are copied. */
enum ft_status ft_cases_open(struct ft_cases **out, const struct ft_cases_opts *opts,
                             int timeout_ms, struct ft_err *err);
void ft_cases_close(struct ft_cases *c);
enum ft_status ft_cases_reconnect(struct ft_cases *c, int timeout_ms, struct ft_err *err);
void ft_cases_mask(struct ft_cases *c, bool masked);
/* False: --read-only, a role without the rights, or a standby. */
bool ft_cases_can_write(const struct ft_cases *c);
/* Whether the role could, --read-only or not; as it was when the server was reached last. */
bool ft_cases_may_write(const struct ft_cases *c);
/* After a failed decide, undo, note, claim: the server was lost while it committed, so that the event may be there. */
bool ft_cases_unsure(const struct ft_cases *c);

/* ---- polled: each a few milliseconds at ten million rows ------------------------------------------------- */

/* Newest first; rows that were written by hand within moments. */
enum ft_status ft_cases_latest(struct ft_cases *c, struct ft_flagged *out, size_t max, size_t *n,
                               struct ft_err *err);
/* The last n scores (at most 100,000), not older than since_ms (wall clock; 0: any age). */
enum ft_status ft_cases_scores(struct ft_cases *c, size_t n, int64_t since_ms,
                               struct ft_scores *out, uint64_t *flagged, struct ft_err *err);

struct ft_case_totals {
    uint64_t stored, flagged; /* stored: an estimate where others than our sink write */
    bool has_labels;
    uint64_t tp, fp, tn, fn;
    double money_flagged, money_missed, money_false_alarm;
    uint64_t open, claimed, over_limit, snoozed, escalated;
    uint64_t decided_today, fraud_today, legitimate_today, escalated_today; /* local day */
    int64_t oldest_ms; /* age of the oldest open case; -1: none */
};
enum ft_status ft_cases_totals(struct ft_cases *c, struct ft_case_totals *out, struct ft_err *err);

/* ---- asked -------------------------------------------------------------------------------------------- */

struct ft_case_query {
    const char *filter; /* NULL or "": none (fraudtop/filter.h) */
    const char *sort;   /* risk (default), score, amount, waiting */
    bool reverse;
    bool all; /* closed ones too */
    size_t limit, offset;
    int64_t since_ms; /* wall clock: arrived since; 0: any */
};
/* {"schema":"cases.list/1","total","filter","cases":[CASE]}; a bad filter is FT_EUSAGE with the place in err. */
enum ft_status ft_cases_list(struct ft_cases *c, const struct ft_case_query *q, char **json,
                             struct ft_err *err);
/* Each case of the list as an object of its own ("cases.case/1"), in batches: for exports of any length. */
enum ft_status ft_cases_each(struct ft_cases *c, const struct ft_case_query *q,
                             enum ft_status (*row)(void *user, const char *json,
                                                   struct ft_err *err),
                             void *user, struct ft_err *err);
/* id: whole, or a beginning or an end of at least 4 digits.  "cases.show/1". */
enum ft_status ft_cases_show(struct ft_cases *c, const char *id, char **json, struct ft_err *err);
enum ft_status ft_cases_stats(struct ft_cases *c, char **json, struct ft_err *err);
enum ft_status ft_cases_log(struct ft_cases *c, size_t limit, int64_t since_ms, char **json,
                            struct ft_err *err);
/* Score counts of the last hours, by bin: "threshold.counts/1". */
enum ft_status ft_cases_histograms(struct ft_cases *c, int hours, char **json, struct ft_err *err);
/* For the next shift: "handover/1". */
enum ft_status ft_cases_handover(struct ft_cases *c, int64_t since_ms, char **json,
                                 struct ft_err *err);
/* Replay runs, newest first, and processes by their last heartbeats: "runs/1". */
enum ft_status ft_cases_runs(struct ft_cases *c, size_t limit, char **json, struct ft_err *err);

/* Models that were put into force, newest first: "model.promoted/1". */
enum ft_status ft_cases_promoted(struct ft_cases *c, size_t limit, char **json, struct ft_err *err);

/* ---- written ------------------------------------------------------------------------------------------ */

struct ft_case_decision {
    const char *id; /* whole, or a beginning or an end */
    int number; /* of the newest event that was seen; -1: whatever there is, if it is undecided and nobody
                       else's claim */
    const char *verdict; /* fraud, legitimate, escalate (wants a note), snooze (wants until_ms) */
    const char *reason, *note;
    int64_t until_ms; /* wall clock */
};
/* {"schema":"cases.decide/1","transaction_id","verdict","number"} */
enum ft_status ft_cases_decide(struct ft_cases *c, const struct ft_case_decision *d, char **json,
                               struct ft_err *err);
/* Takes back the last own decision; the note is wanted. */
enum ft_status ft_cases_undo(struct ft_cases *c, const char *note, char **json, struct ft_err *err);
enum ft_status ft_cases_note(struct ft_cases *c, const char *id, const char *note, char **json,
                             struct ft_err *err);
enum ft_status ft_cases_claim(struct ft_cases *c, const char *id, bool claim, char **json,
                              struct ft_err *err);
/* The open case with the most at risk that nobody has; claimed when claim.  FT_END: none. */
enum ft_status ft_cases_next(struct ft_cases *c, bool claim, char **json, struct ft_err *err);
/* Something put into force without Kafka: kind "threshold", "sample", "model"; value_json as on the control topic. */
enum ft_status ft_cases_apply(struct ft_cases *c, const char *kind, const char *value_json,
                              const char *note, struct ft_err *err);

#endif
