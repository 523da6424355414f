/* What cases, handover and threshold share: the configured database, or the private one. */
#ifndef FT_REVIEW_H
#define FT_REVIEW_H

#include <cjson/cJSON.h>

#include "app.h"
#include "fraudtop/cases.h"
#include "fraudtop/store.h"

struct ft_review {
    struct ft_pg *pg; /* the private server; NULL: one was configured */
    struct ft_cases *cases;
    bool hide; /* --mask on */
};

/* Opens with --as, --read-only, --mask and the limits of the settings. */
enum ft_status ft_review_open(struct ft_review *r, struct ft_app *app, struct ft_err *err);
void ft_review_close(struct ft_review *r);

/* "8h", "7d" ago, or a time in UTC, as wall-clock ms; ahead: in the future instead ("4h" from now).  FT_EUSAGE. */
enum ft_status ft_review_time(const char *text, bool ahead, int64_t *ms, struct ft_err *err);

/* The handover (JSON of ft_cases_handover) as text for people, free() it; NULL: no memory. */
char *ft_handover_text(const char *json, const char *strip_prefix);

/* Members of a JSON object for printing: cleaned text, "" where there is none. */
struct ft_shown {
    char text[300];
};
const char *ft_answer_text(struct ft_shown *to, const cJSON *o, const char *name);
double ft_answer_number(const cJSON *o, const char *name); /* NaN: none */
/* An answer of the database as one line; the white space that it puts between values is left out. */
void ft_print_json(FILE *to, const char *json);
/* "C. Young" or the whole name, as the answer has it. */
const char *ft_answer_customer(struct ft_shown *to, const cJSON *o);
/* The merchant without the prefix that is not shown. */
const char *ft_answer_merchant(struct ft_shown *to, const cJSON *o, const char *strip_prefix);

#endif
