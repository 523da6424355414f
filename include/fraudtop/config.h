/*
 * Settings: one table of options (src/core/options.c) from which come the command line, the configuration file, the
 * environment, --help, the manual, completion and doctor.  Each row has a key "section.name".
 *
 * Sources, last wins: built in, /etc/fraudtop/config, $XDG_CONFIG_HOME/fraudtop/config (or --config), environment
 * FRAUDTOP_SECTION_NAME (and the short names of the table), command line.  Pass-through properties for librdkafka come
 * from the file's section [kafka], FRAUDTOP_KAFKA_* (dots written as underscores) and -X, in that order.
 */
#ifndef FRAUDTOP_CONFIG_H
#define FRAUDTOP_CONFIG_H

#include <stddef.h>
#include <stdint.h>

#include "fraudtop/bus.h"
#include "fraudtop/status.h"

enum ft_opt_type {
    FT_OPT_FLAG, /* on, off */
    FT_OPT_INT,  /* whole number, min to max */
    FT_OPT_REAL, /* number, min to max */
    FT_OPT_TEXT,
    FT_OPT_PATH,
    FT_OPT_CHOICE,   /* one of choices: "a|b|c" */
    FT_OPT_DURATION, /* 500ms, 10s, 5m, 8h, 7d; kept in ms; a bare number is in unit */
    FT_OPT_LIST      /* may be given again; only on the command line */
};

/* Where an option is understood on the command line. */
enum ft_cmd_bit {
    FT_CMD_ALL = -1,
    FT_CMD_CONSOLE = 1 << 0,
    FT_CMD_DEMO = 1 << 1,
    FT_CMD_REPLAY = 1 << 2,
    FT_CMD_SCORE = 1 << 3,
    FT_CMD_SINK = 1 << 4,
    FT_CMD_RUN = 1 << 5,
    FT_CMD_EVALUATE = 1 << 6,
    FT_CMD_EXPLAIN = 1 << 7,
    FT_CMD_FEATURES = 1 << 8,
    FT_CMD_THRESHOLD = 1 << 9,
    FT_CMD_GENERATE = 1 << 10,
    FT_CMD_TOPICS = 1 << 11,
    FT_CMD_CASES = 1 << 12,
    FT_CMD_MODEL = 1 << 13,
    FT_CMD_BENCH = 1 << 14,
    FT_CMD_DOCTOR = 1 << 15,
    FT_CMD_WATCH = 1 << 16,
    FT_CMD_HANDOVER = 1 << 17,
    FT_CMD_SNAPSHOT = 1 << 18,
    FT_CMD_COMPLETION = 1 << 19
};

struct ft_option {
    const char *key;       /* "replay.rate" */
    const char *long_name; /* "rate", or NULL: only in file and environment */
    char letter;           /* 'b', or 0 */
    int commands;          /* enum ft_cmd_bit, or-ed */
    enum ft_opt_type type;
    const char *fallback; /* built-in value as text; NULL: unset */
    double min, max;      /* of numbers and durations (in the unit) */
    const char *arg; /* what --help calls the value: "N", "FILE"; or the choices of FT_OPT_CHOICE */
    const char *unit; /* "tx/s", "ms"; "" */
    const char *help; /* one line, ends with a full stop */
};
extern const struct ft_option ft_options[];
extern const size_t ft_n_options;

struct ft_config;
struct ft_config *ft_config_new(void); /* built-in values; NULL: no memory */
void ft_config_free(struct ft_config *c);
/* One value from a source ("fraudtop.conf:12", "FRAUDTOP_BROKERS", "--rate"); FT_EUSAGE names source, value and what
 * is allowed. */
enum ft_status ft_config_set(struct ft_config *c, const char *key, const char *value,
                             const char *source, struct ft_err *err);
/* Text of an INI file; unknown keys are warnings given to warn with line number and the nearest known key. */
enum ft_status ft_config_ini(struct ft_config *c, const char *text, size_t n, const char *file,
                             const char *profile, void (*warn)(void *user, const char *line),
                             void *user, struct ft_err *err);
enum ft_status ft_config_env(struct ft_config *c, char *const *environ, struct ft_err *err);

/* Values by key; an unknown key is our own mistake (assert). */
bool ft_cfg_is_set(const struct ft_config *c,
                   const char *key); /* set by anything but the built-in value */
bool ft_cfg_flag(const struct ft_config *c, const char *key);
int64_t ft_cfg_int(const struct ft_config *c, const char *key);
double ft_cfg_real(const struct ft_config *c, const char *key);
int64_t ft_cfg_ms(const struct ft_config *c, const char *key);
const char *ft_cfg_text(const struct ft_config *c, const char *key); /* NULL when unset */
const char *ft_cfg_source(const struct ft_config *c, const char *key);
size_t ft_cfg_list(const struct ft_config *c, const char *key, const char *const **values);
/* The merged librdkafka properties, in order. */
size_t ft_cfg_props(const struct ft_config *c, const struct ft_prop **props);

#endif
