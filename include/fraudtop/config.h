/*
 * Settings: one table of options (src/core/options.c) from which come the command line, the configuration file, the
 * environment, --help, the manual, completion and doctor.  Each row has a key "section.name".
 *
 * Sources, last wins: built in, /etc/fraudtop/config, $XDG_CONFIG_HOME/fraudtop/config (or --config), environment
 * (FRAUDTOP_SECTION_NAME, or FRAUDTOP_ and the long name: FRAUDTOP_BROKERS), command line.  Properties for librdkafka come
 * from the file's section [kafka], --kafka-config, FRAUDTOP_KAFKA_* (dots written as underscores) and -X, in that order.
 *
 * A file has sections [service], [replay], ... with the second halves of the keys, or no section and whole keys or long
 * names ("brokers = localhost:9092"); [profile.NAME] holds such lines too and counts when that profile is asked for.
 * [keys] and [theme] are lists of "action = key" and "role = colour": ft_cfg_list of display.keys and display.colours.
 *
 * Pure: reads no file and no environment by itself.  A config belongs to one thread until it is complete.
 */
#ifndef FRAUDTOP_CONFIG_H
#define FRAUDTOP_CONFIG_H

#include <stddef.h>
#include <stdint.h>

#include "fraudtop/bus.h"
#include "fraudtop/status.h"

enum ft_opt_type {
    FT_OPT_FLAG,  /* on, off */
    FT_OPT_COUNT, /* a flag that counts: -v -v */
    FT_OPT_INT,   /* whole number, min to max */
    FT_OPT_REAL,  /* number, min to max */
    FT_OPT_RATE,  /* number above 0, or "max": ft_cfg_real gives 0 */
    FT_OPT_TEXT,
    FT_OPT_SECRET, /* text that is never shown and never taken from the command line */
    FT_OPT_PATH,
    FT_OPT_CHOICE,   /* one of choices: "a|b|c" */
    FT_OPT_DURATION, /* 500ms, 10s, 5m, 8h, 7d; kept in ms; a bare number is in unit */
    FT_OPT_LIST      /* every value counts, in order; others: the last one */
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

/* The row for a long name ("rate", without dashes) or a letter that one of the commands understands; NULL: none. */
const struct ft_option *ft_option_find(const char *long_name, size_t n, int commands);
const struct ft_option *ft_option_letter(char letter, int commands);
const struct ft_option *ft_option_key(const char *key); /* "replay.rate"; - and _ are the same */
/* Whether a value follows on the command line (a flag takes none). */
bool ft_option_takes_value(const struct ft_option *o);
/* Value of a row as --help and doctor show it: "N", "on|off", "DURATION". */
const char *ft_option_arg(const struct ft_option *o);
/* The word of a list that is nearest to a mistyped one, NULL when none is near.  next gives the words one after
 * the other, NULL at the end. */
const char *ft_nearest(const char *word, const char *(*next)(void *user), void *user);
/* A property or key whose value must not be seen: *password*, *secret*, *.key*, sasl.jaas*, ... */
bool ft_name_is_secret(const char *name);
/* A libpq connection string (keywords or URI) that holds a password. */
bool ft_conninfo_has_password(const char *conninfo);

struct ft_config;
typedef void ft_config_warn(void *user, const char *line);

struct ft_config *ft_config_new(void); /* built-in values; NULL: no memory */
void ft_config_free(struct ft_config *c);
/* One value from a source ("fraudtop.conf:12", "FRAUDTOP_BROKERS", "--rate"); FT_EUSAGE names source, value and what
 * is allowed.  NULL value: unset again. */
enum ft_status ft_config_set(struct ft_config *c, const char *key, const char *value,
                             const char *source, struct ft_err *err);
/* Text of an INI file; unknown keys are warnings given to warn with line number and the nearest known key.  Lines of
 * [profile.NAME] count when profile names it (NULL: none), after all others of the file. */
enum ft_status ft_config_ini(struct ft_config *c, const char *text, size_t n, const char *file,
                             const char *profile, ft_config_warn *warn, void *user,
                             struct ft_err *err);
/* Whether any file so far had the profile. */
bool ft_config_has_profile(const struct ft_config *c);
/* Text of a file of librdkafka properties: "name = value" lines, # comments. */
enum ft_status ft_config_properties(struct ft_config *c, const char *text, size_t n,
                                    const char *file, struct ft_err *err);
/* One librdkafka property, "name=value". */
enum ft_status ft_config_property(struct ft_config *c, const char *assignment, const char *source,
                                  struct ft_err *err);
/* FRAUDTOP_*; empty ones count as unset, unknown ones are warnings. */
enum ft_status ft_config_env(struct ft_config *c, char *const *environ, ft_config_warn *warn,
                             void *user, struct ft_err *err);

/* Values by key; an unknown key is our own mistake (assert). */
bool ft_cfg_is_set(const struct ft_config *c,
                   const char *key); /* set by anything but the built-in value */
bool ft_cfg_flag(const struct ft_config *c, const char *key);
int64_t ft_cfg_int(const struct ft_config *c, const char *key);      /* 0 when unset */
double ft_cfg_real(const struct ft_config *c, const char *key);      /* NaN when unset */
int64_t ft_cfg_ms(const struct ft_config *c, const char *key);       /* 0 when unset */
const char *ft_cfg_text(const struct ft_config *c, const char *key); /* NULL when unset */
/* "built in", "/etc/fraudtop/config:3", "FRAUDTOP_RATE", "--rate" */
const char *ft_cfg_source(const struct ft_config *c, const char *key);
/* All values of a list; of another option that was given several times on the command line all of them too (-m A -m B
 * where a command takes several), else its one value. */
size_t ft_cfg_list(const struct ft_config *c, const char *key, const char *const **values);
/* The merged librdkafka properties, in order. */
size_t ft_cfg_props(const struct ft_config *c, const struct ft_prop **props);
const char *ft_cfg_prop_source(const struct ft_config *c, size_t i);

#endif
