#include "fraudtop/config.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LINE 65536 /* of a file, without its line end */

struct slot {
    char *source; /* NULL: built in */
    char **value; /* of a list all, else those of one source; the last one counts */
    size_t n;
};

struct prop {
    char *name, *value, *source;
};

struct ft_config {
    struct slot *slot; /* one for each row of ft_options */
    struct prop *own;
    struct ft_prop *prop; /* the same, for ft_cfg_props */
    size_t n_prop;
    bool has_profile;
};

/* ---- memory --------------------------------------------------------------------------------------- */

struct ft_config *ft_config_new(void)
{
    struct ft_config *c = calloc(1, sizeof(*c));

    if (!c)
        return NULL;
    c->slot = calloc(ft_n_options, sizeof(*c->slot));
    if (!c->slot) {
        free(c);
        return NULL;
    }
    return c;
}

static void slot_clear(struct slot *s)
{
    for (size_t i = 0; i < s->n; i++)
        free(s->value[i]);
    free(s->value);
    free(s->source);
    s->value = NULL;
    s->source = NULL;
    s->n = 0;
}

void ft_config_free(struct ft_config *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < ft_n_options; i++)
        slot_clear(&c->slot[i]);
    for (size_t i = 0; i < c->n_prop; i++) {
        free(c->own[i].name);
        free(c->own[i].value);
        free(c->own[i].source);
    }
    free(c->own);
    free(c->prop);
    free(c->slot);
    free(c);
}

static char *copy(const char *text, size_t n)
{
    char *p = malloc(n + 1);

    if (p) {
        memcpy(p, text, n);
        p[n] = '\0';
    }
    return p;
}

static enum ft_status no_memory(struct ft_err *err)
{
    return ft_fail(err, FT_ENOMEM, "no memory for the settings");
}

static enum ft_status slot_add(struct slot *s, const char *value, const char *source,
                               struct ft_err *err)
{
    char **list = realloc(s->value, (s->n + 1) * sizeof(*list));
    char *v, *from;

    if (!list)
        return no_memory(err);
    s->value = list;
    v = copy(value, strlen(value));
    from = copy(source, strlen(source));
    if (!v || !from) {
        free(v);
        free(from);
        return no_memory(err);
    }
    free(s->source);
    s->source = from;
    s->value[s->n++] = v;
    return FT_OK;
}

/* ---- values --------------------------------------------------------------------------------------- */

static bool parse_flag(const char *v, bool *out)
{
    static const char *const yes[] = {"on", "true", "yes", "1"};
    static const char *const no[] = {"off", "false", "no", "0"};

    for (size_t i = 0; i < 4; i++) {
        if (strcmp(v, yes[i]) == 0)
            return *out = true, true;
        if (strcmp(v, no[i]) == 0)
            return *out = false, true;
    }
    return false;
}

static bool parse_real(const char *v, double *out)
{
    char *end;

    if (!isdigit((unsigned char)v[0]) && v[0] != '-' && v[0] != '+' && v[0] != '.')
        return false;
    errno = 0;
    *out = strtod(v, &end);
    return end != v && !*end && isfinite(*out) && !strpbrk(v, "xX");
}

static bool parse_int(const char *v, int64_t *out)
{
    const char *digits = v + (*v == '-' || *v == '+');
    char *end;
    long long n;

    if (!isdigit((unsigned char)*digits))
        return false;
    errno = 0;
    n = strtoll(v, &end, 10);
    *out = n;
    return !*end && !errno;
}

static const struct {
    const char *name;
    double ms;
} units[] = {
    {"ms", 1      },
    {"s",  1e3    },
    {"m",  60e3   },
    {"h",  3600e3 },
    {"d",  86400e3}
};

static double unit_ms(const char *name)
{
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (strcmp(units[i].name, name) == 0)
            return units[i].ms;
    return 0;
}

/* In the row's own unit, so that its limits apply. */
static bool parse_duration(const struct ft_option *o, const char *v, double *out)
{
    char number[32];
    size_t n = strspn(v, "0123456789.");
    double unit = v[n] ? unit_ms(v + n) : unit_ms(o->unit);

    if (n == 0 || n >= sizeof(number) || unit == 0)
        return false;
    memcpy(number, v, n);
    number[n] = '\0';
    if (!parse_real(number, out))
        return false;
    *out = *out * unit / unit_ms(o->unit);
    return true;
}

static bool is_choice(const char *choices, const char *v)
{
    size_t n = strlen(v);

    for (const char *p = choices; *p; p += strcspn(p, "|"), p += *p == '|')
        if (n && strcspn(p, "|") == n && memcmp(p, v, n) == 0)
            return true;
    return false;
}

static bool is_hex_secret(const char *v)
{
    return strlen(v) == 32 && strspn(v, "0123456789abcdefABCDEF") == 32;
}

/* A limit as people write it: 10000000, not 1e+07. */
static const char *limit(char *out, size_t size, double v)
{
    snprintf(out, size, fabs(v) >= 1 && fabs(v) < 1e16 ? "%.0f" : "%g", v);
    return out;
}

static enum ft_status bad(const struct ft_option *o, const char *v, const char *source,
                          struct ft_err *err)
{
    char low[32], high[32], cut[80];
    bool bounded = o->min > -1e300 || o->max < 1e300;

    snprintf(cut, sizeof(cut), "%s", v);
    limit(low, sizeof(low), o->min);
    limit(high, sizeof(high), o->max);
    switch (o->type) {
    case FT_OPT_FLAG:
        return ft_fail(err, FT_EUSAGE, "%s: \"%s\": say on or off", source, cut);
    case FT_OPT_CHOICE:
        return ft_fail(err, FT_EUSAGE, "%s: \"%s\" is none of %s", source, cut, o->arg);
    case FT_OPT_SECRET:
        return ft_fail(err, FT_EUSAGE, "%s: wants 32 hexadecimal digits", source);
    case FT_OPT_DURATION:
        return ft_fail(err, FT_EUSAGE,
                       "%s: \"%s\": wants a time from %s to %s %s (500ms, 10s, 5m, 8h, 7d)", source,
                       cut, low, high, o->unit);
    case FT_OPT_RATE:
        return ft_fail(err, FT_EUSAGE, "%s: \"%s\": wants a number of %s up to %s, or max", source,
                       cut, o->unit, high);
    case FT_OPT_INT:
    case FT_OPT_COUNT:
        return ft_fail(err, FT_EUSAGE, "%s: \"%s\": wants a whole number from %s to %s", source,
                       cut, low, high);
    default:
        if (!bounded)
            return ft_fail(err, FT_EUSAGE, "%s: \"%s\" is not a number (use a point)", source, cut);
        return ft_fail(err, FT_EUSAGE, "%s: \"%s\": wants a number from %s to %s", source, cut, low,
                       high);
    }
}

static enum ft_status check(const struct ft_option *o, const char *v, const char *source,
                            struct ft_err *err)
{
    double real = 0;
    int64_t whole = 0;
    bool flag, ok = true;

    switch (o->type) {
    case FT_OPT_FLAG:
        ok = parse_flag(v, &flag);
        break;
    case FT_OPT_COUNT:
        ok = parse_int(v, &whole) && whole >= 0;
        break;
    case FT_OPT_INT:
        ok = parse_int(v, &whole) && (double)whole >= o->min && (double)whole <= o->max;
        break;
    case FT_OPT_REAL:
        ok = parse_real(v, &real) && real >= o->min && real <= o->max;
        break;
    case FT_OPT_RATE:
        ok = strcmp(v, "max") == 0 || (parse_real(v, &real) && real >= o->min && real <= o->max);
        break;
    case FT_OPT_DURATION:
        ok = parse_duration(o, v, &real) && real >= o->min && real <= o->max;
        break;
    case FT_OPT_CHOICE:
        ok = is_choice(o->arg, v);
        break;
    case FT_OPT_SECRET:
        ok = is_hex_secret(v);
        break;
    default:
        break;
    }
    if (!ok)
        return bad(o, v, source, err);
    if (strcmp(o->key, "service.database") == 0 && ft_conninfo_has_password(v))
        return ft_fail(err, FT_EUSAGE,
                       "%s: a password is refused here, others could read it: put it into "
                       "~/.pgpass (or PGPASSFILE), a service file, or PGPASSWORD",
                       source);
    return FT_OK;
}

enum ft_status ft_config_set(struct ft_config *c, const char *key, const char *value,
                             const char *source, struct ft_err *err)
{
    const struct ft_option *o = ft_option_key(key);
    struct slot *s;
    enum ft_status st;

    if (!o)
        return ft_fail(err, FT_EUSAGE, "%s: there is no setting \"%s\"", source, key);
    s = &c->slot[o - ft_options];
    if (!value) {
        slot_clear(s);
        return FT_OK;
    }
    if (o->type == FT_OPT_SECRET && source[0] == '-')
        return ft_fail(err, FT_EUSAGE, "%s: secrets are not taken from the command line", source);
    st = check(o, value, source, err);
    if (st != FT_OK)
        return st;
    /* one source after the other wins; only the command line can say a thing several times */
    if (o->type != FT_OPT_LIST && !(source[0] == '-' && s->source && s->source[0] == '-'))
        slot_clear(s);
    return slot_add(s, value, source, err);
}

/* ---- librdkafka's properties ------------------------------------------------------------------------ */

static enum ft_status add_property(struct ft_config *c, const char *name, size_t n,
                                   const char *value, const char *source, struct ft_err *err)
{
    struct prop *own = realloc(c->own, (c->n_prop + 1) * sizeof(*own));
    struct ft_prop *prop;
    struct prop p;

    if (!own)
        return no_memory(err);
    c->own = own;
    prop = realloc(c->prop, (c->n_prop + 1) * sizeof(*prop));
    if (!prop)
        return no_memory(err);
    c->prop = prop;
    p = (struct prop){copy(name, n), copy(value, strlen(value)), copy(source, strlen(source))};
    if (!p.name || !p.value || !p.source) {
        free(p.name);
        free(p.value);
        free(p.source);
        return no_memory(err);
    }
    own[c->n_prop] = p;
    prop[c->n_prop++] = (struct ft_prop){p.name, p.value};
    return FT_OK;
}

enum ft_status ft_config_property(struct ft_config *c, const char *assignment, const char *source,
                                  struct ft_err *err)
{
    const char *eq = strchr(assignment, '=');
    enum ft_status st;
    char *name;

    if (!eq || eq == assignment)
        return ft_fail(err, FT_EUSAGE, "%s: wants PROPERTY=VALUE (-X list prints the known ones)",
                       source);
    name = copy(assignment, (size_t)(eq - assignment));
    if (!name)
        return no_memory(err);
    if (source[0] == '-' && ft_name_is_secret(name))
        st = ft_fail(err, FT_EUSAGE,
                     "%s %s: a secret is refused on the command line, others could read it: put it "
                     "into the section [kafka] of the configuration file, a file for "
                     "--kafka-config, or FRAUDTOP_KAFKA_*",
                     source, name);
    else
        st = add_property(c, name, strlen(name), eq + 1, source, err);
    free(name);
    return st;
}

/* ---- files ---------------------------------------------------------------------------------------- */

static struct ft_span trim(struct ft_span s)
{
    while (s.n && isspace((unsigned char)s.p[0]))
        s.p++, s.n--;
    while (s.n && isspace((unsigned char)s.p[s.n - 1]))
        s.n--;
    return s;
}

/* The next line, without its end. */
static bool next_line(const char **p, const char *end, struct ft_span *line)
{
    const char *nl;

    if (*p >= end)
        return false;
    nl = memchr(*p, '\n', (size_t)(end - *p));
    *line = (struct ft_span){*p, (size_t)((nl ? nl : end) - *p)};
    *p = nl ? nl + 1 : end;
    return true;
}

static enum ft_status check_line(struct ft_span line, const char *where, struct ft_err *err)
{
    if (line.n > MAX_LINE)
        return ft_fail(err, FT_EUSAGE, "%s: the line is longer than %d bytes", where, MAX_LINE);
    if (memchr(line.p, '\0', line.n))
        return ft_fail(err, FT_EUSAGE, "%s: holds a NUL byte: not a text file", where);
    return FT_OK;
}

struct ini {
    struct ft_config *c;
    const char *file, *profile;
    ft_config_warn *warn;
    void *user;
    unsigned line;
    char section[128];
    bool in_profile; /* inside a section [profile.*] */
    bool counts;     /* and it is the one that counts */
};

static void warn_line(const struct ini *ini, const char *before, const char *name,
                      const char *nearest)
{
    char text[512];

    if (!ini->warn)
        return;
    snprintf(text, sizeof(text), "%s:%u: %s \"%s\"%s%s%s", ini->file, ini->line, before, name,
             nearest ? "; the nearest is \"" : "", nearest ? nearest : "", nearest ? "\"" : "");
    ini->warn(ini->user, text);
}

struct keys {
    size_t i;
    const char *section; /* only keys of this one, without it; NULL: whole keys and long names */
    bool names;
};

static const char *next_key(void *user)
{
    struct keys *k = user;

    while (k->i < ft_n_options) {
        const struct ft_option *o = &ft_options[k->i];

        if (k->section) {
            size_t n = strlen(k->section);

            k->i++;
            if (strncmp(o->key, k->section, n) == 0 && o->key[n] == '.')
                return o->key + n + 1;
            continue;
        }
        k->names = !k->names;
        if (k->names)
            return o->key;
        k->i++;
        if (o->long_name)
            return o->long_name;
    }
    return NULL;
}

static const char *nearest_key(const char *section, const char *name)
{
    struct keys k = {0, *section ? section : NULL, false};
    const char *near = ft_nearest(name, next_key, &k);

    if (!near && *section) {
        k = (struct keys){0, NULL, false};
        near = ft_nearest(name, next_key, &k);
    }
    return near;
}

/* The row that a name of the file means, in its section: "rate", "replay.rate", "batch-rows". */
static const struct ft_option *find_key(const char *section, const char *name)
{
    char key[256];
    const struct ft_option *o = NULL;

    if (*section) {
        snprintf(key, sizeof(key), "%s.%s", section, name);
        o = ft_option_key(key);
        if (o)
            return o;
        o = ft_option_find(name, strlen(name), FT_CMD_ALL);
        /* a long name inside a section: only if it belongs there */
        if (o && (strncmp(o->key, section, strlen(section)) != 0 || o->key[strlen(section)] != '.'))
            o = NULL;
        return o;
    }
    o = ft_option_key(name);
    return o ? o : ft_option_find(name, strlen(name), FT_CMD_ALL);
}

static enum ft_status ini_value(struct ini *ini, const char *name, const char *value,
                                struct ft_err *err)
{
    const char *section = ini->in_profile ? "" : ini->section;
    const struct ft_option *o;
    char source[300], item[1024];

    snprintf(source, sizeof(source), "%s:%u", ini->file, ini->line);
    if (strcmp(section, "kafka") == 0)
        return add_property(ini->c, name, strlen(name), value, source, err);
    if (!*section && strncmp(name, "kafka.", 6) == 0)
        return add_property(ini->c, name + 6, strlen(name + 6), value, source, err);
    if (strcmp(section, "keys") == 0 || strcmp(section, "theme") == 0) {
        snprintf(item, sizeof(item), "%s=%s", name, value);
        return ft_config_set(ini->c,
                             strcmp(section, "keys") == 0 ? "display.keys" : "display.colours",
                             item, source, err);
    }
    o = find_key(section, name);
    if (!o) {
        warn_line(ini, "there is no setting", name, nearest_key(section, name));
        return FT_OK;
    }
    if (strcmp(o->key, "general.config") == 0 || strcmp(o->key, "general.profile") == 0 ||
        strcmp(o->key, "output.help") == 0 || strcmp(o->key, "output.version") == 0) {
        warn_line(ini, "in a file this has no meaning:", name, NULL);
        return FT_OK;
    }
    snprintf(source + strlen(source), sizeof(source) - strlen(source), ": %s", o->key);
    {
        enum ft_status st = ft_config_set(ini->c, o->key, value, source, err);

        if (st == FT_OK) /* doctor wants the place only */
            *strrchr(ini->c->slot[o - ft_options].source, ':') = '\0';
        return st;
    }
}

static enum ft_status ini_section(struct ini *ini, struct ft_span line, struct ft_err *err)
{
    if (line.n < 3 || line.p[line.n - 1] != ']' || line.n - 2 >= sizeof(ini->section))
        return ft_fail(err, FT_EUSAGE, "%s:%u: a section looks like [replay]", ini->file,
                       ini->line);
    memcpy(ini->section, line.p + 1, line.n - 2);
    ini->section[line.n - 2] = '\0';
    ini->in_profile = strncmp(ini->section, "profile.", 8) == 0;
    ini->counts = ini->in_profile && ini->profile && strcmp(ini->section + 8, ini->profile) == 0;
    if (ini->counts)
        ini->c->has_profile = true;
    return FT_OK;
}

static bool known_section(const char *section)
{
    size_t n = strlen(section);

    if (strcmp(section, "kafka") == 0 || strcmp(section, "keys") == 0 ||
        strcmp(section, "theme") == 0)
        return true;
    for (size_t i = 0; i < ft_n_options; i++)
        if (strncmp(ft_options[i].key, section, n) == 0 && ft_options[i].key[n] == '.')
            return true;
    return false;
}

static enum ft_status ini_line(struct ini *ini, struct ft_span line, bool profiles,
                               struct ft_err *err)
{
    const char *eq;
    struct ft_span name, value;
    char *n, *v;
    enum ft_status st;

    if (line.p[0] == '[') {
        st = ini_section(ini, line, err);
        if (st == FT_OK && !profiles && !ini->in_profile && !known_section(ini->section))
            warn_line(ini, "there is no section", ini->section, NULL);
        return st;
    }
    eq = memchr(line.p, '=', line.n);
    if (!eq || eq == line.p)
        return ft_fail(err, FT_EUSAGE, "%s:%u: a line looks like name = value", ini->file,
                       ini->line);
    if (profiles ? !ini->counts : ini->in_profile)
        return FT_OK;
    name = trim((struct ft_span){line.p, (size_t)(eq - line.p)});
    value = trim((struct ft_span){eq + 1, (size_t)(line.p + line.n - eq - 1)});
    if (value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"')
        value = (struct ft_span){value.p + 1, value.n - 2};
    n = copy(name.p, name.n);
    v = copy(value.p, value.n);
    if (!n || !v)
        st = no_memory(err);
    else if (!*ini->section || ini->in_profile || known_section(ini->section))
        st = ini_value(ini, n, v, err);
    else
        st = FT_OK; /* the section was warned about */
    free(n);
    free(v);
    return st;
}

enum ft_status ft_config_ini(struct ft_config *c, const char *text, size_t n, const char *file,
                             const char *profile, ft_config_warn *warn, void *user,
                             struct ft_err *err)
{
    /* first what stands there for all, then what the profile says */
    for (int profiles = 0; profiles < (profile ? 2 : 1); profiles++) {
        struct ini ini = {.c = c, .file = file, .profile = profile, .warn = warn, .user = user};
        const char *p = text;
        struct ft_span line;

        if (n >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0)
            p += 3;
        while (next_line(&p, text + n, &line)) {
            enum ft_status st;
            char where[300];

            ini.line++;
            snprintf(where, sizeof(where), "%s:%u", file, ini.line);
            st = check_line(line, where, err);
            line = trim(line);
            if (st == FT_OK && line.n && line.p[0] != '#' && line.p[0] != ';')
                st = ini_line(&ini, line, profiles, err);
            if (st != FT_OK)
                return st;
        }
    }
    return FT_OK;
}

bool ft_config_has_profile(const struct ft_config *c)
{
    return c->has_profile;
}

enum ft_status ft_config_properties(struct ft_config *c, const char *text, size_t n,
                                    const char *file, struct ft_err *err)
{
    const char *p = text;
    struct ft_span line;

    for (unsigned at = 1; next_line(&p, text + n, &line); at++) {
        char source[300];
        const char *eq;
        struct ft_span name, value;
        enum ft_status st;
        char *v;

        snprintf(source, sizeof(source), "%s:%u", file, at);
        st = check_line(line, source, err);
        if (st != FT_OK)
            return st;
        line = trim(line);
        if (!line.n || line.p[0] == '#')
            continue;
        eq = memchr(line.p, '=', line.n);
        if (!eq || eq == line.p)
            return ft_fail(err, FT_EUSAGE, "%s: a line looks like name = value", source);
        name = trim((struct ft_span){line.p, (size_t)(eq - line.p)});
        value = trim((struct ft_span){eq + 1, (size_t)(line.p + line.n - eq - 1)});
        v = copy(value.p, value.n);
        if (!v)
            return no_memory(err);
        st = add_property(c, name.p, name.n, v, source, err);
        free(v);
        if (st != FT_OK)
            return st;
    }
    return FT_OK;
}

/* ---- environment ------------------------------------------------------------------------------------ */

/* FRAUDTOP_ of "replay.rate" or "connect-timeout", compared with a variable's name. */
static bool env_is(const char *var, size_t n, const char *name)
{
    if (strlen(name) != n)
        return false;
    for (size_t i = 0; i < n; i++) {
        int want = name[i] == '.' || name[i] == '-' ? '_' : toupper((unsigned char)name[i]);

        if (var[i] != want)
            return false;
    }
    return true;
}

static const struct ft_option *env_option(const char *var, size_t n)
{
    for (size_t i = 0; i < ft_n_options; i++)
        if (env_is(var, n, ft_options[i].key))
            return &ft_options[i];
    for (size_t i = 0; i < ft_n_options; i++)
        if (ft_options[i].long_name && env_is(var, n, ft_options[i].long_name))
            return &ft_options[i];
    return NULL;
}

static enum ft_status env_property(struct ft_config *c, const char *var, size_t n,
                                   const char *value, const char *source, struct ft_err *err)
{
    char name[128];

    if (n >= sizeof(name))
        return ft_fail(err, FT_EUSAGE, "%s: no property has so long a name", source);
    for (size_t i = 0; i < n; i++)
        name[i] = (char)(var[i] == '_' ? '.' : tolower((unsigned char)var[i]));
    return add_property(c, name, n, value, source, err);
}

/* What an unknown variable is told: with the name of the setting that is nearest to it, as a variable. */
static void no_variable(const char *var, size_t n, const char *source, char *line, size_t size)
{
    char word[64], *p;
    const char *near;
    size_t at;

    for (size_t i = 0; i < n && i + 1 < sizeof(word); i++)
        word[i] = (char)tolower((unsigned char)var[i]);
    word[n < sizeof(word) - 1 ? n : sizeof(word) - 1] = '\0';
    near = nearest_key("", word);
    at = (size_t)snprintf(line, size, "%s: there is no such setting%s%s", source,
                          near ? "; the nearest is FRAUDTOP_" : "", near ? near : "");
    for (p = line + at - (near ? strlen(near) : 0); *p; p++)
        *p = *p == '-' || *p == '.' ? '_' : (char)toupper((unsigned char)*p);
}

enum ft_status ft_config_env(struct ft_config *c, char *const *environ, ft_config_warn *warn,
                             void *user, struct ft_err *err)
{
    static const char prefix[] = "FRAUDTOP_", kafka[] = "KAFKA_";

    for (; environ && *environ; environ++) {
        const char *var = *environ, *eq = strchr(var, '=');
        const struct ft_option *o;
        enum ft_status st = FT_OK;
        char source[160], line[256];
        size_t n;

        if (strncmp(var, prefix, sizeof(prefix) - 1) != 0 || !eq || !eq[1])
            continue;
        snprintf(source, sizeof(source), "%.*s", (int)(eq - var < 150 ? eq - var : 150), var);
        var += sizeof(prefix) - 1;
        n = (size_t)(eq - var);
        o = env_option(var, n); /* FRAUDTOP_KAFKA_CONFIG is an option, no property */
        if (o)
            st = ft_config_set(c, o->key, eq + 1, source, err);
        else if (n > sizeof(kafka) - 1 && strncmp(var, kafka, sizeof(kafka) - 1) == 0)
            st = env_property(c, var + 6, n - 6, eq + 1, source, err);
        else if (warn && strncmp(var, "ALERT", n) != 0) {
            no_variable(var, n, source, line, sizeof(line));
            warn(user, line);
        }
        if (st != FT_OK)
            return st;
    }
    return FT_OK;
}

/* ---- what came of it -------------------------------------------------------------------------------- */

static const struct slot *slot_of(const struct ft_config *c, const char *key,
                                  const struct ft_option **o)
{
    *o = ft_option_key(key);
    assert(*o && "a setting that is not in the table");
    return &c->slot[*o - ft_options];
}

bool ft_cfg_is_set(const struct ft_config *c, const char *key)
{
    const struct ft_option *o;

    return slot_of(c, key, &o)->n > 0;
}

const char *ft_cfg_text(const struct ft_config *c, const char *key)
{
    const struct ft_option *o;
    const struct slot *s = slot_of(c, key, &o);

    return s->n ? s->value[s->n - 1] : o->fallback;
}

bool ft_cfg_flag(const struct ft_config *c, const char *key)
{
    const char *v = ft_cfg_text(c, key);
    bool on = false;

    return v && parse_flag(v, &on) && on;
}

int64_t ft_cfg_int(const struct ft_config *c, const char *key)
{
    const char *v = ft_cfg_text(c, key);
    int64_t n = 0;

    return v && parse_int(v, &n) ? n : 0;
}

double ft_cfg_real(const struct ft_config *c, const char *key)
{
    const char *v = ft_cfg_text(c, key);
    double d = NAN;

    if (v && strcmp(v, "max") == 0)
        return 0;
    return v && parse_real(v, &d) ? d : (double)NAN;
}

int64_t ft_cfg_ms(const struct ft_config *c, const char *key)
{
    const struct ft_option *o;
    const struct slot *s = slot_of(c, key, &o);
    const char *v = s->n ? s->value[s->n - 1] : o->fallback;
    double d;

    if (!v || !parse_duration(o, v, &d))
        return 0;
    return (int64_t)(d * unit_ms(o->unit) + 0.5);
}

const char *ft_cfg_source(const struct ft_config *c, const char *key)
{
    const struct ft_option *o;
    const struct slot *s = slot_of(c, key, &o);

    return s->n ? s->source : "built in";
}

size_t ft_cfg_list(const struct ft_config *c, const char *key, const char *const **values)
{
    const struct ft_option *o;
    const struct slot *s = slot_of(c, key, &o);

    if (!s->n) {
        *values = &o->fallback;
        return o->fallback ? 1 : 0;
    }
    *values = (const char *const *)s->value;
    return s->n;
}

size_t ft_cfg_props(const struct ft_config *c, const struct ft_prop **props)
{
    *props = c->prop;
    return c->n_prop;
}

const char *ft_cfg_prop_source(const struct ft_config *c, size_t i)
{
    return c->own[i].source;
}
