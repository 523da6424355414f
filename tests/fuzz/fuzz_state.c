/*
 * Any bytes as a customer's record of the changelog: refused, or a state that goes on, and whose own record gives the
 * same state again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fraudtop/scoring.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char manifest[] =
    "{\"format\":1,\"name\":\"m\",\"version\":\"1\",\"state\":{\"gap_days\":100,\"history\":3},"
    "\"stages\":[{\"name\":\"a\",\"features\":[{\"name\":\"amount\"}]},{\"name\":\"b\","
    "\"features\":["
    "{\"name\":\"n\",\"window\":\"24h\",\"value\":\"amount\",\"aggregate\":\"sum\"},"
    "{\"name\":\"l\",\"window\":\"life\",\"value\":\"amount\",\"aggregate\":\"deviation\"},"
    "{\"name\":\"c\",\"window\":\"category\",\"value\":\"amount\",\"aggregate\":\"log_ratio_mean\"}"
    ","
    "{\"name\":\"d\",\"window\":\"life\",\"value\":\"category\",\"aggregate\":\"distinct\"},"
    "{\"name\":\"s\",\"window\":\"life\",\"value\":\"score\",\"aggregate\":\"ewma\"},"
    "{\"name\":\"t\",\"window\":\"today\",\"value\":\"score\",\"aggregate\":\"count_above\"}]}]}";
static const uint8_t secret[16] = {1, 2, 3};

static enum ft_status no_file(void *user, const char *file, struct ft_buf *out, struct ft_err *err)
{
    (void)user;
    (void)out;
    return ft_fail(err, FT_END, "%s: not there", file);
}

static struct ft_txn ann(void)
{
    static const char *const text[FT_N_COLS] = {
        [FT_COL_TIME] = "2020-03-02 13:00", [FT_COL_AMOUNT] = "10",  [FT_COL_CAT_ID] = "home",
        [FT_COL_MERCH] = "fraud_Shop",      [FT_COL_NAME_1] = "Ann", [FT_COL_NAME_2] = "Smith",
        [FT_COL_STREET] = "1 Main Street",
    };
    struct ft_txn t = {.label = FT_LABEL_UNKNOWN};

    for (int c = 0; c < FT_N_COLS; c++)
        if (text[c])
            t.col[c] = (struct ft_cell){text[c], (uint32_t)strlen(text[c]), FT_CELL_TEXT};
    return t;
}

/* Ann's next transaction; what the model sees of it goes to out. */
static void live(const struct ft_scorer *s, struct ft_state *state, struct ft_buf *out)
{
    struct ft_score_scratch *x = ft_score_scratch_new(s);
    struct ft_txn t = ann();
    const struct ft_txn *one = &t;
    struct ft_scored got;
    double first = -3;

    if (!x)
        abort();
    ft_score_features(s, x, state, &one, 1, &first, &got);
    if (got.status != FT_OK || ft_score_features_json(s, x, 0, out) != FT_OK ||
        ft_score_history_json(x, 0, out, out) != FT_OK)
        abort();
    ft_score_scratch_free(x);
}

static enum ft_status take(void *user, struct ft_span key, struct ft_span record)
{
    struct ft_err err;

    return ft_state_restore(user, key, record, &err);
}

static void go_on(const struct ft_scorer *s, struct ft_state *state)
{
    struct ft_state *again = ft_state_new(s, secret);
    struct ft_buf a, b;

    ft_buf_init(&a, 1u << 20);
    ft_buf_init(&b, 1u << 20);
    live(s, state, &a);
    ft_buf_clear(&a);
    if (!again || ft_state_changes(state, take, again) != FT_OK)
        abort();
    live(s, state, &a);
    live(s, again, &b);
    if (a.n != b.n || memcmp(a.p, b.p, a.n) != 0)
        abort();
    ft_buf_fini(&a);
    ft_buf_fini(&b);
    ft_state_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ft_txn t = ann();
    uint8_t key[FT_KEY_BYTES];
    struct ft_scorer *s = NULL;
    struct ft_state *state;
    struct ft_err err = {""};

    if (ft_scorer_build(&s, "m", "m", ft_span_of(manifest), no_file, NULL, FT_SCORER_FEATURES,
                        &err) != FT_OK ||
        !(state = ft_state_new(s, secret)) || !ft_txn_key(&t, secret, key))
        abort();
    if (ft_state_restore(state, (struct ft_span){(char *)key, sizeof(key)},
                         (struct ft_span){(const char *)data, size}, &err) == FT_OK)
        go_on(s, state);
    else if (!err.text[0] || ft_state_customers(state) != 0)
        abort();
    ft_state_free(state);
    ft_scorer_free(s);
    return 0;
}
