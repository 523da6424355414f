/* Any bytes as a message of the topic "transactions": what is read, written and read again is the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fraudtop/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same_cell(const struct ft_cell *a, const struct ft_cell *b)
{
    if (a->kind != b->kind || a->n != b->n || (a->n && memcmp(a->p, b->p, a->n) != 0))
        abort();
}

static void check_cell(const struct ft_cell *c)
{
    if (c->kind > FT_CELL_NESTED || (c->kind == FT_CELL_TEXT) != (c->kind == FT_CELL_TEXT && c->n))
        abort();
    if (c->kind == FT_CELL_NUMBER && !ft_is_json_number((struct ft_span){c->p, c->n}))
        abort();
    if (c->n && ft_utf8_check((struct ft_span){c->p, c->n}) >= 0)
        abort();
}

static void check_again(const struct ft_txn *t)
{
    static struct ft_codec *codec; /* as a stage keeps one for all messages */
    struct ft_txn back;
    struct ft_err err = {""};
    struct ft_buf b;

    ft_buf_init(&b, 16u * FT_MSG_MAX);
    if (!codec)
        codec = ft_codec_new();
    if (!codec || !ft_codec_write_txn(&b, t))
        abort();
    if (b.n <= FT_MSG_MAX) { /* escapes may have made it longer */
        if (ft_codec_read_txn(codec, (struct ft_span){b.p, b.n}, &back, &err) != FT_OK)
            abort();
        if (memcmp(&t->id, &back.id, sizeof(t->id)) != 0 || t->label != back.label ||
            t->n_extra != back.n_extra)
            abort();
        for (int c = 0; c < FT_N_COLS; c++)
            same_cell(&t->col[c], &back.col[c]);
        for (size_t i = 0; i < t->n_extra; i++) {
            if (!ft_span_eq(t->extra[i].name, back.extra[i].name))
                abort();
            same_cell(&t->extra[i].cell, &back.extra[i].cell);
        }
    }
    ft_buf_fini(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct ft_codec *codec;
    char *copy = malloc(size + !size); /* so that a look beyond the message is caught */
    uint8_t secret[16] = {0}, key[FT_KEY_BYTES];
    struct ft_err err = {""};
    struct ft_txn t;
    enum ft_status st;

    if (!codec)
        codec = ft_codec_new();
    if (!codec || !copy)
        abort();
    memcpy(copy, data, size);
    st = ft_codec_read_txn(codec, (struct ft_span){copy, size}, &t, &err);
    if (st != FT_OK && (st != FT_EINPUT || !*err.text))
        abort();
    if (st == FT_OK) {
        for (int c = 0; c < FT_N_COLS; c++)
            check_cell(&t.col[c]);
        for (size_t i = 0; i < t.n_extra; i++)
            check_cell(&t.extra[i].cell);
        (void)ft_txn_check(&t, &err);
        (void)ft_txn_key(&t, secret, key);
        check_again(&t);
    }
    free(copy);
    return 0;
}
