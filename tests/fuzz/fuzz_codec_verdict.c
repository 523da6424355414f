/* Any bytes as a message of the topic "scoring": each verdict read can be written and read again to the same. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fraudtop/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same_text(struct ft_span a, struct ft_span b)
{
    if (!ft_span_eq(a, b))
        abort();
}

static void compare(void *user, const struct ft_verdict *b)
{
    const struct ft_verdict *a = user;

    if (memcmp(&a->id, &b->id, sizeof(a->id)) != 0 || a->flag != b->flag || a->label != b->label ||
        a->sampled != b->sampled || a->has_threshold != b->has_threshold)
        abort();
    if (memcmp(&a->score, &b->score, sizeof(a->score)) != 0 ||
        (a->has_threshold && memcmp(&a->threshold, &b->threshold, sizeof(a->threshold)) != 0))
        abort();
    same_text(a->model, b->model);
    same_text(a->amount, b->amount);
    same_text(a->reasons_json, b->reasons_json);
    same_text(a->data_json, b->data_json);
    same_text(a->history_json, b->history_json);
    same_text(a->usual_json, b->usual_json);
    same_text(a->features_json, b->features_json);
    same_text(a->challenger_json, b->challenger_json);
}

static void must_not_be_bad(void *user, struct ft_span element, const char *reason)
{
    (void)user, (void)element, (void)reason;
    abort();
}

static void good(void *user, const struct ft_verdict *v)
{
    static struct ft_codec *codec; /* not the one that is at work */
    struct ft_verdict copy = *v;
    struct ft_codec_verdict_cb cb = {compare, must_not_be_bad, &copy};
    struct ft_err err = {""};
    struct ft_buf b;

    (void)user;
    if (!isfinite(v->score) || (v->flag != 0 && v->flag != 1))
        abort();
    ft_buf_init(&b, 16u * FT_MSG_MAX);
    if (!codec)
        codec = ft_codec_new();
    if (!codec || !ft_codec_write_verdict(&b, v))
        abort();
    if (b.n <= FT_MSG_MAX &&
        ft_codec_read_verdicts(codec, (struct ft_span){b.p, b.n}, &cb, &err) != FT_OK)
        abort();
    ft_buf_fini(&b);
}

static void bad(void *user, struct ft_span element, const char *reason)
{
    (void)user;
    if (!*reason || element.n == 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct ft_codec *codec; /* as a stage keeps one for all messages */
    struct ft_codec_verdict_cb cb = {good, bad, NULL};
    char *copy = malloc(size + !size);
    struct ft_err err = {""};
    enum ft_status st;

    if (!codec)
        codec = ft_codec_new();
    if (!codec || !copy)
        abort();
    memcpy(copy, data, size);
    st = ft_codec_read_verdicts(codec, (struct ft_span){copy, size}, &cb, &err);
    if (st != FT_OK && (st != FT_EINPUT || !*err.text))
        abort();
    free(copy);
    return 0;
}
