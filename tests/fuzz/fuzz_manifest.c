/* Any bytes as a manifest: refused with a sentence, or a scorer whose features can be had. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fraudtop/scoring.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum ft_status no_file(void *user, const char *file, struct ft_buf *out, struct ft_err *err)
{
    (void)user;
    (void)out;
    return ft_fail(err, FT_END, "%s: not there", file);
}

static struct ft_cell cell(const char *text)
{
    return (struct ft_cell){text, (uint32_t)strlen(text), FT_CELL_TEXT};
}

static struct ft_txn make(const char *time, const char *amount)
{
    static const char *const other[FT_N_COLS] = {
        [FT_COL_MERCH] = "m",      [FT_COL_CAT_ID] = "home", [FT_COL_NAME_1] = "a",
        [FT_COL_NAME_2] = "b",     [FT_COL_STREET] = "c",    [FT_COL_LAT] = "1.5",
        [FT_COL_POPULATION] = "7",
    };
    struct ft_txn t = {.label = FT_LABEL_UNKNOWN};

    for (int c = 0; c < FT_N_COLS; c++)
        if (other[c])
            t.col[c] = cell(other[c]);
    t.col[FT_COL_TIME] = cell(time);
    t.col[FT_COL_AMOUNT] = cell(amount);
    return t;
}

static void use(const struct ft_scorer *s)
{
    static const uint8_t secret[16];
    struct ft_score_scratch *x = ft_score_scratch_new(s);
    struct ft_state *state = ft_state_new(s, secret);
    struct ft_txn t[3] = {make("2020-03-01 23:59", "10"), make("2020-03-02 00:01", "1e300"),
                          make("2019-03-02 00:01:30", "0")};
    const struct ft_txn *rows[3] = {&t[0], &t[1], &t[2]};
    const char *const *names;
    double first[3] = {0, 1, 2};
    struct ft_scored got[3];
    struct ft_buf b, c;

    if (!x || !state)
        abort();
    ft_buf_init(&b, 1u << 24);
    ft_buf_init(&c, 1u << 24);
    for (int turn = 0; turn < 3; turn++)
        ft_score_features(s, x, state, rows, 3, first, got);
    for (size_t i = 0; i < 3; i++) {
        if (got[i].status != FT_OK && !*ft_score_reason(x, i))
            abort();
        if (got[i].status == FT_OK && (ft_score_features_json(s, x, i, &b) != FT_OK ||
                                       ft_score_history_json(x, i, &b, &c) != FT_OK))
            abort();
    }
    ft_scorer_columns(s, &names);
    ft_scorer_required(s, &names);
    ft_buf_fini(&b);
    ft_buf_fini(&c);
    ft_state_free(state);
    ft_score_scratch_free(x);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ft_scorer *s = NULL;
    struct ft_err err = {""};
    enum ft_status st = ft_scorer_build(&s, "m", "m", (struct ft_span){(const char *)data, size},
                                        no_file, NULL, FT_SCORER_FEATURES | FT_SCORER_FORCE, &err);

    if ((st == FT_OK) != (s != NULL) || (st != FT_OK && !err.text[0]))
        abort();
    if (s)
        use(s);
    ft_scorer_free(s);
    return 0;
}
