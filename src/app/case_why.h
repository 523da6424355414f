/* What the model says of a stored case: exact contributions and what-if (src/app only). */
#ifndef FT_CASE_WHY_H
#define FT_CASE_WHY_H

#include <cjson/cJSON.h>

#include "fraudtop/scoring.h"

/*
 * Completes a case of "cases.show/1": raw, base, method and others (what the reasons do not name), computed from the
 * features that the verdict carried.  Leaves method "none" where the verdict is another model's or carried no features.
 */
void ft_case_why(cJSON *o, const struct ft_scorer *s);

/* The score with one value changed: {score, raw}. */
enum ft_status ft_case_what_if(const cJSON *o, const struct ft_scorer *s, const char *name,
                               const char *value, cJSON *out, struct ft_err *err);

#endif
