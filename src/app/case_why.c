#include "case_why.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool same_model(const cJSON *o, const struct ft_scorer *s)
{
    const char *model = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, "model"));

    return model && ft_scorer_is(s, model);
}

static void set(cJSON *o, const char *name, cJSON *value)
{
    cJSON_DeleteItemFromObjectCaseSensitive(o, name);
    cJSON_AddItemToObject(o, name, value);
}

/* The sum of the contributions that are listed, and how many there are. */
static double named(const cJSON *o, int *n)
{
    const cJSON *r, *c;
    double sum = 0;

    *n = 0;
    cJSON_ArrayForEach(r, cJSON_GetObjectItemCaseSensitive(o, "reasons"))
    {
        c = cJSON_GetObjectItemCaseSensitive(r, "contribution");
        sum += cJSON_IsNumber(c) ? c->valuedouble : 0;
        ++*n;
    }
    return sum;
}

void ft_case_why(cJSON *o, const struct ft_scorer *s)
{
    const cJSON *features = cJSON_GetObjectItemCaseSensitive(o, "features");
    char *json = cJSON_IsObject(features) ? cJSON_PrintUnformatted(features) : NULL;
    size_t n_features = s ? ft_scorer_info(s)->n_features : 0;
    double raw, base, *contribution = calloc(n_features + 1, sizeof(*contribution));
    int n;

    if (json && contribution && s && same_model(o, s) &&
        ft_score_why(s, ft_span_of(json), &raw, &base, contribution, NULL) == FT_OK) {
        double listed = named(o, &n);
        cJSON *others = cJSON_CreateObject();

        cJSON_AddNumberToObject(others, "n", (double)n_features - n);
        cJSON_AddNumberToObject(others, "contribution", raw - base - listed);
        set(o, "others", others);
        set(o, "raw", cJSON_CreateNumber(raw));
        set(o, "base", cJSON_CreateNumber(base));
        set(o, "method", cJSON_CreateString("exact"));
    } else if (cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(o, "reasons")) == 0) {
        set(o, "method", cJSON_CreateString("none"));
    }
    free(contribution);
    free(json);
}

enum ft_status ft_case_what_if(const cJSON *o, const struct ft_scorer *s, const char *name,
                               const char *value, cJSON *out, struct ft_err *err)
{
    const cJSON *features = cJSON_GetObjectItemCaseSensitive(o, "features");
    char *json = cJSON_IsObject(features) ? cJSON_PrintUnformatted(features) : NULL;
    double raw, score;
    enum ft_status st;

    if (!json)
        return ft_fail(err, FT_EUSAGE,
                       "the verdict carries no features: it was not made by a scorer of ours");
    if (!s || !same_model(o, s))
        st = ft_fail(err, FT_EUSAGE, "the model of the verdict is not here: -m takes its folder");
    else
        st = ft_score_what_if(s, ft_span_of(json), name, ft_span_of(value), &raw, &score, err);
    if (st == FT_OK) {
        cJSON_AddNumberToObject(out, "score", score);
        cJSON_AddNumberToObject(out, "raw", raw);
    }
    free(json);
    return st;
}
