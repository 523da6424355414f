/*
 * Inside a scorer: what manifest.c builds, score.c runs, reasons.c explains.  Not for other modules: they use
 * fraudtop/scoring.h.
 *
 * A transaction goes through three steps: its columns are read once (read.c: text, number, time; the only place
 * where a row can be found bad), features are made of what was read (features.c, state_features.c), and each stage's
 * model is evaluated over the batch.
 */
#ifndef FT_CORE_SCORER_H
#define FT_CORE_SCORER_H

#include "fraudcore.h"
#include "fraudtop/scoring.h"

#define FT_MAX_STAGES 4
#define FT_MAX_COLUMNS 4096
#define FT_MAX_FEATURES 65536 /* of a stage, as many as a model file can have */
#define FT_MAX_WINDOWS 8
#define FT_REASON_MAX 160
#define FT_WEEK_S (7 * 86400)
#define FT_GAP_MAX_S ((int64_t)3660 * 86400)

enum ft_need {
    FT_NEED_NUMBER = 1, /* a cell that is no number makes the row bad */
    FT_NEED_TIME = 2,   /* likewise for times */
    FT_NEED_AMOUNT = 4, /* likewise, and not negative, not infinite */
    FT_NEED_SOFT = 8    /* a number if it is one, else NaN (features that no tree asks for) */
};

/* A column that some feature, or the state, is made of. */
struct ft_column {
    char *name;
    size_t name_n;
    int col; /* enum ft_col, or -1: among the extra ones */
    unsigned need;
    bool required;  /* a missing value makes the row bad */
    bool in_header; /* a file must have it */
};

/* What was read from a column's cell. */
struct ft_read {
    struct ft_span text; /* a category's text */
    double num;          /* NaN when missing */
    struct ft_time time; /* with FT_NEED_TIME, unless missing */
    bool missing;
};

enum ft_make {
    FT_MAKE_COPY,
    FT_MAKE_WEEKEND,
    FT_MAKE_YEAR,
    FT_MAKE_MONTH,
    FT_MAKE_DAY,
    FT_MAKE_HOUR,
    FT_MAKE_MINUTE,
    FT_MAKE_DAY_OF_WEEK,
    FT_MAKE_HOUR_FROM_4,
    FT_MAKE_NIGHT,
    FT_MAKE_LOG1P,
    FT_MAKE_DISTANCE_KM,
    FT_MAKE_LOOKUP,
    FT_MAKE_STAGE, /* log-odds of an earlier stage for this transaction */
    FT_MAKE_STATE
};

/* State features: see docs/features.md for the formulas. */
enum ft_take {
    FT_TAKE_COUNT,
    FT_TAKE_SUM,
    FT_TAKE_MAX,
    FT_TAKE_MIN,
    FT_TAKE_MEAN,
    FT_TAKE_STD,
    FT_TAKE_NIGHT_COUNT,
    FT_TAKE_NIGHT_SHARE,
    FT_TAKE_SAME_CATEGORY,
    FT_TAKE_DISTINCT,
    FT_TAKE_LOG_MEAN,
    FT_TAKE_SINCE_LAST,
    FT_TAKE_AGE,
    FT_TAKE_LOG_RATIO_MEAN,
    FT_TAKE_LOG_RATIO_MAX,
    FT_TAKE_DEVIATION,
    FT_TAKE_RATE_RATIO,
    FT_TAKE_SCORE_LAST,
    FT_TAKE_SCORE_EWMA,
    FT_TAKE_SCORE_MAX,
    FT_TAKE_SCORE_MIN,
    FT_TAKE_SCORE_MEAN,
    FT_TAKE_SCORE_ABOVE
};

enum ft_over { FT_OVER_WINDOW, FT_OVER_TODAY, FT_OVER_LIFE, FT_OVER_CATEGORY };

/* A look-up table: sorted by key. */
struct ft_lookup_row {
    char *key;
    size_t key_n;
    char *text; /* of a category */
    double num;
};
struct ft_lookup {
    struct ft_lookup_row *row;
    size_t n;
    struct ft_lookup_row other; /* key NULL */
};

struct ft_feature {
    char *name;
    size_t name_n;
    bool category;
    enum ft_make make;
    uint16_t from[4]; /* columns of the scorer */
    size_t n_from;
    struct ft_lookup *lookup;
    size_t stage; /* FT_MAKE_STAGE */
    enum ft_take take;
    enum ft_over over;
    size_t window; /* of FT_OVER_WINDOW: index into the scorer's windows */
    double above;  /* FT_TAKE_SCORE_ABOVE */
    double empty;  /* value of a state feature that has none; NaN by default */
    size_t flat;   /* its place in the model; SIZE_MAX: the stage has no model */
};

struct ft_stage {
    char *name;
    char *file; /* NULL: none */
    char *sha256;
    struct ft_feature *feature;
    size_t n_features;
    struct fc_model *model; /* NULL: features only */
    bool has_state;         /* some feature comes from the state */
    bool has_scores;        /* some feature is made of earlier scores */
};

struct ft_window {
    int64_t seconds;
    char text[16]; /* "24 h" */
};

struct ft_scorer {
    struct ft_scorer_info info;
    char *name, *version, *path, *manifest;
    size_t manifest_n;
    struct ft_column *column;
    size_t n_columns, cap_columns;
    const char **need_header, **required;
    size_t n_need_header, n_required;
    struct ft_stage stage[FT_MAX_STAGES];
    size_t n_stages;
    struct ft_window window[FT_MAX_WINDOWS]; /* ascending */
    size_t n_windows;
    bool by_position;  /* a bare model without names: columns by their place in the header */
    bool keeps_scores; /* events remember the first stage's log-odds */
    bool row_by_row;   /* the first stage itself needs state that earlier scores are part of */
    bool has_customer; /* uses state or history */
    size_t n_history;
    size_t n_check;
    int64_t gap_s;                                         /* 0: none */
    uint16_t at_time, at_amount, at_category, at_merchant; /* columns of the state */
    int32_t hash_small[100], hash_year[200]; /* category hashes of 0..99, 1900..2099 */
};

#define FT_YEAR_0 1900

/* A feature's value in one row. */
enum ft_value_kind { FT_VALUE_NUMBER, FT_VALUE_TEXT, FT_VALUE_INTEGER };
struct ft_value {
    double num;
    const char *p;
    uint32_t n;
    uint8_t kind; /* enum ft_value_kind; INTEGER: a category that is a whole number, in num */
};

/* ---- columns.c ------------------------------------------------------------------------------------ */

#define FT_CANON_MAX 40 /* digits of a whole number written as a category */
/*
 * A JSON number's text as a category's text: whole numbers in decimal (76443.0 and 7.6443e4 give 76443), others
 * as they stand.  The result points to text or to out.
 */
struct ft_span ft_canon_number(struct ft_span text, char out[FT_CANON_MAX + 2]);
/* Reads one cell; false with a reason: the row is bad. */
bool ft_column_read(const struct ft_column *c, const struct ft_cell *cell, char *canon,
                    struct ft_read *out, char reason[FT_REASON_MAX]);
/* Index of a column by name, made when new; FT_MAX_COLUMNS: too many, or no memory. */
size_t ft_column_add(struct ft_scorer *s, struct ft_span name, unsigned need);

/* ---- features.c ----------------------------------------------------------------------------------- */

void ft_feature_make(const struct ft_feature *f, const struct ft_read *read, struct ft_value *out);
void ft_value_put(const struct ft_scorer *s, struct fc_scratch *x, size_t row, size_t flat,
                  const struct ft_value *v);
/* The value as text (zero-terminated, cut to fit). */
size_t ft_value_text(const struct ft_value *v, char *out, size_t size);

/* ---- sha256.c ------------------------------------------------------------------------------------- */

void ft_sha256(const void *p, size_t n, uint8_t out[32]);

#endif
