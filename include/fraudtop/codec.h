/*
 * The messages of the topics "transactions" and "scoring" (product contract, section 3), both ways.
 *
 * Written and read directly, without a tree: tolerant of what the existing Python services write (bare NaN and
 * Infinity count as missing, members in any order, unknown members, the three forms of a verdict), strict on
 * everything else (text after the value, 007, invalid UTF-8, NUL in strings, nesting over 32, 64 KiB).
 * Nothing is allocated once the scratch has grown to the largest message seen.
 */
#ifndef FRAUDTOP_CODEC_H
#define FRAUDTOP_CODEC_H

#include "fraudtop/txn.h"

#define FT_MSG_MAX (64u << 10) /* largest message accepted, bytes */

struct ft_codec;                     /* scratch of one thread */
struct ft_codec *ft_codec_new(void); /* NULL: no memory */
void ft_codec_free(struct ft_codec *c);

/* Appends the message of t: id, the columns that are there, extras, label where known.  false: out of room. */
bool ft_codec_write_txn(struct ft_buf *out, const struct ft_txn *t);
/* Appends only the object of "data". */
bool ft_codec_write_data(struct ft_buf *out, const struct ft_txn *t);

/*
 * Reads a message.  Cells point into msg or the scratch: valid until the next read with c and while msg is.
 * FT_EINPUT: err says what is wrong and at which byte.  An empty string counts as missing; a label may be 0 or 1 as a
 * number, a text or a boolean; a bare NaN inside an extra array or object becomes null.  transaction_id, data, label
 * or one of the 17 columns coming twice is an error; of other members it does not matter.
 */
enum ft_status ft_codec_read_txn(struct ft_codec *c, struct ft_span msg, struct ft_txn *out,
                                 struct ft_err *err);

/* A verdict.  Spans named json hold JSON text (or are empty: absent). */
struct ft_verdict {
    struct ft_uuid id;
    double score; /* finite */
    int flag;     /* 0 or 1 */
    int8_t label; /* or FT_LABEL_UNKNOWN */
    bool sampled; /* part of the random sample from below the threshold */
    bool has_threshold;
    double threshold;
    struct ft_span model;  /* "seed-004 1": name, blank, version; empty: a foreign detector's */
    struct ft_span amount; /* the number's text as it came; empty: unknown */
    struct ft_span reasons_json;    /* [{"feature","value","contribution"[,"text"]}, ...] */
    struct ft_span data_json;       /* the transaction's data */
    struct ft_span history_json;    /* the customer's last transactions */
    struct ft_span usual_json;      /* the customer's usual amounts */
    struct ft_span features_json;   /* what the model saw */
    struct ft_span challenger_json; /* {"model","score"} */
};

/* Appends "[{...}]". */
bool ft_codec_write_verdict(struct ft_buf *out, const struct ft_verdict *v);

/*
 * Reads a message of the topic "scoring": an array of objects, a bare object, or [id, score, flag].  Calls
 * good for each valid verdict (spans valid during the call), bad for each element that is none (its text and
 * the reason): valid parts are kept.  FT_EINPUT: the message as a whole is none (not JSON up to its end, or an empty
 * array), and nothing was called.  Score and flag may be text.  Of the members after the first three, one whose type is not
 * ours counts as unknown; in JSON texts a bare NaN has become null.
 */
struct ft_codec_verdict_cb {
    void (*good)(void *user, const struct ft_verdict *v);
    void (*bad)(void *user, struct ft_span element, const char *reason);
    void *user;
};
enum ft_status ft_codec_read_verdicts(struct ft_codec *c, struct ft_span msg,
                                      const struct ft_codec_verdict_cb *cb, struct ft_err *err);

#endif
