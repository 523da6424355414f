/* A manifest of two stages and a state, whose models are those of the vectors. */
#ifndef STAGED_CASE_H
#define STAGED_CASE_H

#include "fraudcore.h"
#include "state_case.h"

static inline enum ft_status read_vector(void *user, const char *file, struct ft_buf *out,
                                         struct ft_err *err)
{
    char path[512];
    FILE *f;

    (void)user;
    snprintf(path, sizeof(path), FT_SOURCE_DIR "/tests/data/catboost/%s/model.cbm", file);
    f = fopen(path, "rb");
    if (!f)
        return ft_fail(err, FT_EINPUT, "%s", path);
    if (ft_buf_reserve(out, 1u << 20))
        out->n = fread(out->p, 1, 1u << 20, f);
    fclose(f);
    return out->failed ? ft_fail(err, FT_ENOMEM, "%s", path) : FT_OK;
}

#define OWN(name, transform, from)                                                                 \
    "{\"name\":\"" name "\",\"transform\":\"" transform "\",\"from\":\"" from "\"}"
#define FIRST_ROW                                                                                  \
    OWN("num_fovb", "copy", "amount")                                                              \
    "," OWN("num_ushb", "log1p", "amount") "," OWN("num_hhth", "hour", "transaction_time")
#define FIRST_PLAIN                                                                                \
    FIRST_ROW "," OWN("num_pxoy", "minute", "transaction_time") "," OWN("num_cvmc", "day",         \
                                                                        "transaction_time")
#define FIRST_STATE                                                                                \
    FIRST_ROW "," CASE_F("num_pxoy", "24h", "amount", "sum") "," CASE_F("num_cvmc", "life",        \
                                                                        "amount", "mean")
#define SECOND                                                                                     \
    "{\"name\":\"num_xfdm\",\"stage\":\"first\"}," CASE_F(                                         \
        "num_xlgx", "life", "amount",                                                              \
        "log_ratio_mean") ","                                                                      \
                          "{\"name\":\"cat_qhud\",\"kind\":\"category\",\"from\":\"cat_id\"}"      \
                          "," CASE_F("num_stcu", "life", "score", "last")
#define STAGED(first)                                                                              \
    "{\"format\":1,\"name\":\"m\",\"version\":\"1\",\"state\":{\"history\":2},\"stages\":["        \
    "{\"name\":\"first\",\"file\":\"float_only\",\"features\":[" first "]},"                       \
    "{\"name\":\"second\",\"file\":\"depth_1\",\"features\":[" SECOND "]}]}"

static inline struct state_case staged(const char *manifest)
{
    struct state_case c;
    struct ft_err err = {""};

    if (ft_scorer_build(&c.s, "m", "m", ft_span_of(manifest), read_vector, NULL, 0, &err) != FT_OK)
        fail_msg("%s", err.text);
    c.x = ft_score_scratch_new(c.s);
    c.state = ft_state_new(c.s, case_secret);
    return c;
}

#endif
