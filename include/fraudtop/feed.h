/*
 * What the console shows and what it can ask for.  The screens know nothing of Kafka or PostgreSQL: they draw an
 * ft_live and the answers to questions, both plain data.  Behind a feed stands the running pipeline (src/app), a
 * scripted scene, or a test.
 *
 * The drawing thread calls the feed; no call waits for a service.  Text in these structs comes from data as it is:
 * whoever draws it cleans it first (fraudtop/text.h).
 */
#ifndef FRAUDTOP_FEED_H
#define FRAUDTOP_FEED_H

#include <stdbool.h>
#include <stdint.h>

#include "fraudtop/hist.h"
#include "fraudtop/status.h"
#include "fraudtop/uuid.h"

enum ft_part_state { FT_PART_UNKNOWN, FT_PART_UP, FT_PART_DOWN, FT_PART_NONE, FT_PART_EMBEDDED };

struct ft_part {
    enum ft_part_state state;
    int64_t since_ms; /* monotonic: since when it is in this state */
    char error[160];  /* the system's own message */
    char where[96];   /* "localhost:9092", without secrets */
    double ms;        /* round trip of the last question; 0: not known */
};

struct ft_flagged {
    struct ft_uuid id;
    double score, threshold;
    char amount[24];    /* as it came; empty: not known */
    char event[24];     /* transaction_time */
    int64_t arrived_ms; /* wall clock, scored_at */
    char merchant[128], category[48], name_1[48], name_2[48], street[64], city[48], state[8],
        gender[4];
    char why[96];       /* strongest reasons, short form */
    double distance_km; /* NaN: not known */
    int8_t label;       /* -1 unknown */
    char status;        /* o open, f fraud, l legitimate, e escalated, s snoozed */
    char claimed_by[32];
    int64_t claimed_ms; /* wall clock; 0: nobody */
    bool memory_only;   /* not read back from the database yet */
    bool sampled;
};

struct ft_process {
    char role[8]; /* "replay", "score", "sink", "run", "demo" */
    char host[48];
    int32_t pid;
    char state[12];  /* "running", "waiting", "paused", "restoring", "gone" */
    int64_t seen_ms; /* monotonic: last heartbeat */
    double per_s;    /* its own rate */
    double restored; /* share of the state restored, 0 to 1 */
    char detail[96]; /* "seed-004 1", "partitions 0 2" */
};

struct ft_replay_view {
    bool active, paused, held; /* held: waits for a service */
    bool own;                  /* runs in this process and ends with it */
    char file[FT_PATH_MAX];
    char run[24];
    uint64_t read, sent, acked, rejected, in_flight;
    uint64_t bytes_done, bytes_total; /* total 0: unknown */
    double rate_limit;                /* tx/s, 0: none */
    double speed;                     /* times event time, 0: not by event time */
    double per_s;
    double eta_s; /* < 0 unknown */
    int waiting;  /* files that this process replays after the present ones */
    char event_clock[24];
    char error[160];
    char quarantine[160];
    struct {
        char reason[64];
        uint64_t rows, first_line;
    } reject[8]; /* by reason, most first */
    size_t n_reject;
};

#define FT_RATE_POINTS 300
#define FT_LIVE_FLAGGED 1000

/* The last two by hours of the clock: the present one alone, and 24 with the present one. */
enum ft_score_window {
    FT_WIN_100,
    FT_WIN_1000,
    FT_WIN_5MIN,
    FT_WIN_RUN,
    FT_WIN_HOUR,
    FT_WIN_DAY,
    FT_N_WINDOWS
};

struct ft_live {
    uint64_t seq;   /* changes when anything below did */
    int64_t now_ms; /* monotonic, when this was put together */
    int64_t wall_ms;
    bool demo, scene, read_only;
    char user[32], host[48];
    struct ft_part kafka, pg, model;
    char model_name[64], model_digest[17];
    double threshold;
    int n_replay, n_score, n_sink; /* processes that live */
    bool heard;                    /* of any process: else how many live is not known */
    /* Totals are counted, rates derived over the measured interval; NaN in the first two seconds. */
    uint64_t replayed, scored, stored, flagged, rejected, dead;
    uint64_t db_stored, db_flagged; /* rows of the database, of earlier runs too; 0: not known */
    double replayed_per_s, scored_per_s, stored_per_s, flagged_per_s;
    double rate[FT_RATE_POINTS]; /* scored a second, oldest first, one a second; NaN: none */
    size_t n_rate;
    int64_t lag_score, lag_sink; /* messages; -1 unknown */
    double lag_score_slope,
        lag_sink_slope;    /* messages a second from a line over 30 s; NaN unknown */
    double p50_ms, p99_ms; /* due to committed, last 10 s; NaN unknown */
    struct ft_scores window[FT_N_WINDOWS]; /* score histograms by window */
    uint64_t above[FT_N_WINDOWS];
    bool has_labels;
    uint64_t tp, fp, tn, fn;
    double money_flagged, money_missed, money_false_alarm;
    bool db_read; /* ever: else nothing is known of the queue */
    uint64_t queue_open, queue_claimed, queue_over_limit, decided_today;
    uint64_t decided_fraud, decided_legitimate, decided_escalated;
    int64_t queue_oldest_ms;       /* age of the oldest open case; -1 none */
    int64_t flagged_read_ms;       /* monotonic: age of the list below */
    const struct ft_flagged *list; /* newest first; valid until the next ft_feed_live */
    size_t n_list;
    const struct ft_process *process;
    size_t n_process;
    struct ft_replay_view replay;
    char message[200]; /* something to say once, e.g. an error; empty: nothing */
    uint64_t message_seq;
    bool message_error;
};

/*
 * What the console can have done.  Answers come later, through answer().
 *
 * Arguments and answers are one JSON object each, with the members that docs/formats.md gives for the equal command
 * (cases list, cases show, threshold, ...), so that screens and scripts are fed by the same code.  What the screens read:
 * missing members are "not known", more members are ignored, times are "2026-11-20T14:01:48Z" (".123" allowed),
 * scores numbers, amounts texts as they came.  CASE below stands for an object with
 *     transaction_id score threshold model amount event arrived merchant category name_1 name_2 street city state gender
 *     distance_km why status("open", "fraud", "legitimate", "escalated", "snoozed") claimed_by claimed_at snoozed_until
 *     label sampled number (of its newest event)
 */
/* clang-format off */
enum ft_ask_kind {
    FT_ASK_REPLAY_START, /* {files:[], rate (0 max), speed (0 off), label, limit (0 none)} -> {run} or, while one runs here,
                            {waiting (files, these included)} */
    FT_ASK_REPLAY_PAUSE, /* {pause:true|false} */
    FT_ASK_REPLAY_STOP,  /* {all:true: those that wait too} or {waiting: path, the one that waits no more} */
    FT_ASK_REPLAY_RATE,  /* {rate (0 max)} */
    FT_ASK_RETRY,        /* try the services that are down now */
    FT_ASK_FILES,        /* {folder} -> {folder, files:[{name, folder:bool, size, rows, labels:bool, last_run, rejected,
                            rejects: the last run had some, state (running, paused, read, waiting, stopped), place (of
                            one that waits), own: may be taken back}]}; folder "" is where the program was started */
    FT_ASK_REJECTS,      /* {limit, file (of its last run; else of the newest)} -> {path, total, rows:[{line, reason,
                            text}]} */
    FT_ASK_QUEUE,        /* {filter, sort:"risk|score|amount|waiting", reverse, limit} -> {total, cases:[CASE]} */
    FT_ASK_CASE,         /* {transaction_id} -> CASE and {raw, base, method:"exact|approximate|none",
                            reasons:[{feature, value, text, contribution}], others:{n, contribution},
                            data:{17 columns and extra ones}, usual:{count, mean, max},
                            history:[{time, amount, category, merchant, score}], customer:[CASE],
                            merchant_cases:[CASE], merchant_stats:{flagged, fraud},
                            events:[{at, by, kind, verdict, reason, note, until}]} */
    FT_ASK_DECIDE,       /* {transaction_ids:[], numbers:[], verdict:"fraud|legitimate|escalate|snooze", reason, note,
                            until (snooze: "4h")} -> {decided, refused:[{transaction_id, error}]} */
    FT_ASK_UNDO,         /* {note} -> {transaction_id, verdict} */
    FT_ASK_CLAIM,        /* {transaction_id, claim:true|false} -> {claimed:bool} */
    FT_ASK_NEXT,         /* claims the next that nobody has -> {transaction_id} or {} */
    FT_ASK_NOTE,         /* {transaction_id, note} */
    FT_ASK_WHAT_IF,      /* {transaction_id, changes:{column: text}} -> {score, raw} */
    FT_ASK_THRESHOLD,    /* -> {threshold, hours, total, labels_from_file:bool, all:[2000], fraud:[2000],
                            legitimate:[2000], amount:[2000 sums], sample,
                            known:[{transaction_id, score, amount, merchant, category, by, at}] known fraud, lowest
                            score first} */
    FT_ASK_APPLY,        /* {threshold, note} or {sample, note} -> {threshold} */
    FT_ASK_PARTITIONS,   /* -> {partitions:[{topic, partition, end, committed, lag, per_s (of the lag), owner}]} */
    FT_ASK_TOPICS,       /* -> {topics:[{topic, partitions, messages, group, lag}]} */
    FT_ASK_MESSAGES,     /* {topic ("": all that a transaction goes through), limit, partition, offset, at, find
                            (transaction id)} -> {messages:[{topic, partition, offset, timestamp, key, value, bytes,
                            headers:{}}]}, newest first; from an offset or a time on the oldest first */
    FT_ASK_LOG,          /* {limit} -> {entries:[{at, part, level, by, text, transaction_id}]}, newest first */
    FT_ASK_STATS,        /* -> cases.stats/1: waiting_s:{n, median, p95} and more */
    FT_ASK_EXPORT,       /* {path, all:bool, filter, sort, reverse, format:"csv|json", mask:bool} -> {path, rows}: all that
                            the filter shows, written to path.part, which is path in the end */
    FT_ASK_HANDOVER,     /* {since:"8h"} -> {text} */
    FT_ASK_SCENE         /* {name}: another script; scenes only */
};
/* clang-format on */

struct ft_ask {
    enum ft_ask_kind kind;
    const char *args_json; /* NULL: none */
};
struct ft_answer {
    uint64_t ticket;
    enum ft_ask_kind kind;
    bool ok;
    char error[240]; /* when not ok */
    char *json;      /* malloc; the taker frees it */
};

struct ft_feed {
    void *self;
    /* Copies the newest picture into out; cheap, at most a short lock. */
    void (*live)(void *self, struct ft_live *out);
    /* Asks; returns a ticket > 0, or 0 when this feed cannot do that. */
    uint64_t (*ask)(void *self, const struct ft_ask *ask);
    /* The next answer, if one is there. */
    bool (*answer)(void *self, struct ft_answer *out);
    /* Becomes readable when there is something new; -1: poll by time. */
    int (*wake_fd)(void *self);
};

/* Whether a lag grows by more than noise: 20 messages or more behind, and faster than 1/s and 0.2 % of it.  The screen's word
 * "growing" and the alert of a lag. */
bool ft_lag_grows(int64_t lag, double slope);

#endif
