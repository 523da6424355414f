/*
 * Filter expressions for flagged transactions, on the screen and as --filter:
 *
 *     score>=0.8 amount>500 category=misc_net !merchant~Kovacek state=TX|NY waiting>30m claimed=no
 *
 * Terms joined by blanks must all hold; | parts alternatives of a value; ! negates a term; = equal, ~ contains (without
 * regard to ASCII case), < <= > >= order numbers and ages; "..." keeps blanks in a value.  A bare word is sought in
 * merchant, customer, city and id.  Whoever asks a database walks the terms and makes parameters of the values, never SQL
 * text.
 */
#ifndef FRAUDTOP_FILTER_H
#define FRAUDTOP_FILTER_H

#include "fraudtop/feed.h"
#include "fraudtop/status.h"

enum ft_filter_field {
    FT_FIELD_ANY, /* a bare word */
    FT_FIELD_SCORE,
    FT_FIELD_AMOUNT,
    FT_FIELD_WAITING,  /* since it arrived, ms */
    FT_FIELD_DISTANCE, /* km */
    FT_FIELD_CATEGORY,
    FT_FIELD_MERCHANT,
    FT_FIELD_CUSTOMER, /* "name_1 name_2" */
    FT_FIELD_STREET,
    FT_FIELD_CITY,
    FT_FIELD_STATE,
    FT_FIELD_ID,
    FT_FIELD_STATUS,  /* open, fraud, legitimate, escalated, snoozed */
    FT_FIELD_CLAIMED, /* no, yes, or a name */
    FT_FIELD_LABEL,   /* 0, 1, none */
    FT_FIELD_SAMPLED, /* yes, no */
    FT_FIELD_EVENT,   /* text order of YYYY-MM-DD HH:MM */
    FT_N_FIELDS
};
extern const char *const ft_filter_field_name[FT_N_FIELDS];

enum ft_filter_op { FT_OP_EQ, FT_OP_HAS, FT_OP_LT, FT_OP_LE, FT_OP_GT, FT_OP_GE };

#define FT_FILTER_TERMS 16
#define FT_FILTER_VALUES 8

struct ft_filter_term {
    enum ft_filter_field field;
    enum ft_filter_op op;
    bool negate;
    size_t n; /* alternatives */
    struct {
        char text[64];
        double number; /* of the ordered fields; ages in ms */
    } value[FT_FILTER_VALUES];
};

struct ft_filter {
    size_t n;
    struct ft_filter_term term[FT_FILTER_TERMS];
};

/*
 * masked: names and streets are hidden, so customer and street cannot be asked for, and a bare word does not look at
 * them.  FT_EUSAGE: err says what is wrong, *at is the byte of text where.  Empty text gives no terms.
 */
enum ft_status ft_filter_parse(struct ft_filter *f, const char *text, bool masked, size_t *at,
                               struct ft_err *err);
/* wall_ms: now, for waiting.  masked as above. */
bool ft_filter_match(const struct ft_filter *f, const struct ft_flagged *row, int64_t wall_ms,
                     bool masked);

/* "90s", "30m", "4h", "2d", "00:47:10" or a bare number of seconds, in ms; false when it is none. */
bool ft_parse_age(struct ft_span text, int64_t *ms);

#endif
