/*
 * Inside the customers' state.  state.c keeps customers and their events, past.c looks at them, state_record.c writes
 * and reads the changelog.  What is remembered and how features come from it: docs/features.md.
 */
#ifndef FT_CORE_STATE_H
#define FT_CORE_STATE_H

#include "scorer.h"

#define FT_MAX_EVENTS 256    /* of a customer, the last by arrival */
#define FT_MAX_CATEGORIES 63 /* of a customer; slot 63 means: none */
#define FT_MAX_IDS 32        /* foreign transaction ids that a customer remembers */
#define FT_MAX_MARKS 64      /* runs that a partition remembers */
#define FT_HISTORY_BYTES 1400
#define FT_NO_CUSTOMER UINT32_MAX

/* One transaction of the last 7 days. */
struct ft_event {
    uint32_t amount[2]; /* a double, unaligned so that the struct has 20 bytes */
    int32_t dt;         /* seconds after the customer's base_s */
    float score;        /* first stage's log-odds */
    uint8_t category;   /* slot */
    uint8_t night;
    uint8_t spare[2];
};

/* A category of a customer.  old: of transactions that are no events any more. */
struct ft_category {
    uint32_t hash;
    uint32_t n_old;
    double log_sum_old;
};

struct ft_customer {
    uint8_t key[FT_KEY_BYTES];
    int64_t base_s; /* time of the last transaction to arrive */
    int64_t first_old_s, last_old_s;
    double sum_old, square_old, max_old;
    struct ft_event *event; /* in order of arrival */
    struct ft_category *category;
    uint64_t *id;     /* hashes of foreign ids, oldest first */
    uint8_t *history; /* records, oldest first: see history.c */
    uint32_t n_old, nights_old, n_lost;
    float score_old, ewma_old;
    uint16_t n_events, cap_events;
    uint16_t n_history_bytes, cap_history, history_at;      /* the oldest begins there */
    uint8_t n_categories, cap_categories, n_ids, n_history; /* n_history: items */
    uint8_t changed, used;
};

/* The highest row of a run that was scored. */
struct ft_mark {
    struct ft_run run;
    uint64_t row, seq;
    bool changed;
};

#define FT_SLAB 1024 /* customers in a slab */

/* Of the table: index + 1 (0: free), and bits of the key, so that hardly any but the right customer is looked at. */
struct ft_slot {
    uint32_t at, tag;
};

struct ft_state {
    const struct ft_scorer *s;
    uint8_t secret[16];
    struct ft_customer **slab;
    size_t n_slabs, cap_slabs;
    uint32_t n_made,
        first_free;        /* customers ever made; a free one (base_s: the next), FT_NO_CUSTOMER */
    struct ft_slot *table; /* a power of two */
    size_t table_size, n_customers;
    uint32_t *changed; /* customers to be emitted */
    size_t n_changed, cap_changed;
    uint8_t (*gone)[FT_KEY_BYTES]; /* customers to be buried */
    size_t n_gone, cap_gone;
    struct ft_mark mark[FT_MAX_MARKS];
    struct ft_mark dropped[FT_MAX_MARKS];
    size_t n_marks, n_dropped;
    uint64_t mark_seq;
    int64_t clock_s, expired_s; /* event time for freeing customers: now, when it was last done */
    unsigned n_seen;            /* transactions until the clock may run */
    size_t bytes;               /* of customers' own arrays */
    struct ft_buf record;
};

struct ft_customer *ft_customer_at(const struct ft_state *st, uint32_t index);
uint32_t ft_customer_find(const struct ft_state *st, const uint8_t key[FT_KEY_BYTES]);
/* Asks the processor for what finding a customer will touch: step 0 his place in the table, 1 the customer, 2 his
 * events and categories.  Each step wants the one before it done a while ago. */
void ft_customer_prefetch(const struct ft_state *st, const uint8_t key[FT_KEY_BYTES], int step);
/* Finds or makes; FT_NO_CUSTOMER: no memory. */
uint32_t ft_customer_make(struct ft_state *st, const uint8_t key[FT_KEY_BYTES]);
/* Forgets all but the key. */
void ft_customer_clear(struct ft_state *st, struct ft_customer *c);
void ft_customer_remove(struct ft_state *st, uint32_t index);
/* To be emitted by ft_state_changes; false: no memory. */
bool ft_customer_changed(struct ft_state *st, uint32_t index);

struct ft_new_event {
    int64_t time_s;
    double amount;
    uint32_t category_hash;
    float score;
    uint64_t foreign_id; /* hash, 0: none */
};
/* Remembers a transaction.  On failure (no memory) nothing is changed. */
enum ft_status ft_customer_add(struct ft_state *st, struct ft_customer *c,
                               const struct ft_new_event *e);
/* Room for n items of size bytes in *p, of which cap are there; in steps.  false: no memory. */
bool ft_state_grow(struct ft_state *st, void **p, size_t *cap, size_t n, size_t size);

static inline double ft_event_amount(const struct ft_event *e)
{
    double v;

    __builtin_memcpy(&v, e->amount, sizeof(v));
    return v;
}

/*
 * Frees those who would start anew, once the clock is a sixteenth of the gap further than when it was last done.  The
 * clock starts with the earliest of the first 64 times and goes on by an hour a transaction at most, so that a wrong date
 * frees nobody.
 */
enum ft_status ft_state_expire(struct ft_state *st);

/* ---- past.c: what a customer's past looks like at a moment ----------------------------------------- */

struct ft_window_sum {
    uint32_t n, nights, same;
    double sum, max, min;
    double score_sum;
    float score_max, score_min;
};

struct ft_past {
    struct ft_window_sum window[FT_MAX_WINDOWS], today;
    uint32_t n, nights; /* life */
    double sum, square, max;
    int64_t now_s, first_s, last_s; /* first and last: only when n > 0 */
    uint32_t n_category, n_distinct;
    double category_log_sum;
    double score_last, score_ewma;
    double amount; /* of the transaction that is looked at */
};

/* c may be NULL: nothing is known. */
void ft_past_look(const struct ft_scorer *s, const struct ft_customer *c, int64_t time_s,
                  double amount, uint32_t category_hash, struct ft_past *out);
double ft_past_value(const struct ft_scorer *s, const struct ft_feature *f, const struct ft_past *p,
                     const struct ft_customer *c);
/* The sums of a feature over a window or the day. */
const struct ft_window_sum *ft_past_window(const struct ft_feature *f, const struct ft_past *p);
/* The value in words ("4th in 1 h"), or "". */
void ft_past_words(const struct ft_scorer *s, const struct ft_feature *f, const struct ft_past *p,
                   double value, struct ft_span category, char *out, size_t size);

/* A feature of this transaction alone, in words: "amount 1118.02", "22 h", "misc_net"; column is what it is made of.
 * more: something stands before it.  Returns what was written. */
size_t ft_plain_words(const struct ft_feature *f, const char *column, const struct ft_value *v,
                      bool more, char *out, size_t size);
/* They say it better than the value: "amount 1118.02" for 7.02, "22 h" for an hour that counts from four. */
bool ft_has_plain_words(const struct ft_feature *f);
/* An earlier stage's log-odds: how suspicious the transaction is by itself, "72 % alone". */
void ft_stage_words(double log_odds, bool more, char *out, size_t size);

/* ---- history.c ------------------------------------------------------------------------------------ */

struct ft_history_item {
    int64_t time_s;
    double amount, score;
    struct ft_span category, merchant;
};
/* Adds a transaction to a customer's last ones (s->n_history at most). */
enum ft_status ft_history_add(struct ft_state *st, struct ft_customer *c,
                              const struct ft_history_item *item);
/* All items of a customer. */
struct ft_span ft_history_of(const struct ft_customer *c);
/* The item at *at; false at the end or when the bytes are damaged. */
bool ft_history_next(struct ft_span bytes, size_t *at, struct ft_history_item *out);

/* ---- repeats -------------------------------------------------------------------------------------- */

/* 0: no foreign id. */
uint64_t ft_foreign_id(const struct ft_uuid *id);
bool ft_marks_seen(const struct ft_state *st, const struct ft_uuid *id);
void ft_marks_note(struct ft_state *st, const struct ft_uuid *id);

#endif
