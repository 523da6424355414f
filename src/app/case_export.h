/* Cases as CSV or JSON lines, one after the other: what `cases export` and e on the screen write. */
#ifndef FT_CASE_EXPORT_H
#define FT_CASE_EXPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "fraudtop/status.h"

struct ft_case_export {
    FILE *out;
    bool csv,
        spreadsheet; /* spreadsheet: a text that would be taken for a formula gets a ' before it */
    uint64_t rows;   /* written so far */
};
void ft_case_export_head(struct ft_case_export *e);
/* For ft_cases_each; user is the ft_case_export.  FT_ESTOPPED after a signal or when nobody reads any more. */
enum ft_status ft_case_export_row(void *user, const char *json, struct ft_err *err);

#endif
