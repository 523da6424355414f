/* Inside a scratch: score.c fills it, reasons.c reads it. */
#ifndef FT_CORE_SCORE_H
#define FT_CORE_SCORE_H

#include "state.h"

/* Where a column's cell is in a transaction. */
struct ft_place {
    int col;     /* enum ft_col, or -1 */
    size_t hint; /* where among the extra ones it was last */
    bool by_hint;
};

/* What the state remembers of a transaction, and whose it is. */
struct ft_own {
    int64_t time_s;
    double amount;
    struct ft_span category, merchant;
    uint32_t category_hash, customer;
    uint8_t key[FT_KEY_BYTES];
    bool has_key, anew, remembered;
};

struct ft_history_copy {
    size_t n;
    uint8_t bytes[FT_HISTORY_BYTES];
};

struct ft_score_scratch {
    size_t n_columns;
    struct fc_scratch *fc[FT_MAX_STAGES];
    struct fc_scratch *one[FT_MAX_STAGES]; /* a row of a stage, for reasons */
    struct ft_value *value[FT_MAX_STAGES]; /* by row, then feature */
    double raw[FT_MAX_STAGES][FT_SCORE_BATCH];
    struct ft_read *read;   /* of the row at hand, by column */
    struct ft_place *place; /* by column */
    char (*canon)[FT_CANON_MAX + 2];
    struct ft_own own[FT_SCORE_BATCH];
    struct ft_past *past;
    struct ft_history_copy *history; /* of rows that are flagged, or wanted */
    bool wanted[FT_SCORE_BATCH];
    char reason[FT_SCORE_BATCH][FT_REASON_MAX];
};

#endif
