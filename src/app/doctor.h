/* The checks of `fraudtop doctor`, which the console's first start makes as well (inside src/app only). */
#ifndef FT_DOCTOR_H
#define FT_DOCTOR_H

#include "app.h"

enum ft_health { FT_HEALTH_OK, FT_HEALTH_NONE, FT_HEALTH_WARN, FT_HEALTH_FAILED };

struct ft_check {
    const char *name; /* "terminal", "model", "kafka", "postgres", "key", "state" */
    enum ft_health health;
    enum ft_status status; /* why it failed */
    char text[300];        /* what was found */
    char hint[300];        /* how to mend it; empty: nothing to mend */
    int ms;                /* how long it took */
};
enum {
    FT_CHECK_TERMINAL,
    FT_CHECK_MODEL,
    FT_CHECK_KAFKA,
    FT_CHECK_POSTGRES,
    FT_CHECK_KEY,
    FT_CHECK_STATE,
    FT_N_CHECKS
};
/* All of them at the same time; no service is waited for longer than two seconds. */
void ft_doctor_checks(const struct ft_app *app, struct ft_check out[FT_N_CHECKS]);
/* "ok", "none", "warning", "failed" */
const char *ft_health_name(enum ft_health h);

#endif
