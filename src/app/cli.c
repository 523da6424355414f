/* From argv to a command, options and words. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"

struct parser {
    struct ft_cli *cli;
    char **argv;
    int argc, at;
    int bit; /* the commands whose options are understood */
    struct ft_err *err;
};

static const char *next_command(void *user)
{
    size_t *i = user;

    return *i < ft_n_commands ? ft_commands[(*i)++].name : NULL;
}

static const struct ft_command *find_command(const char *name)
{
    for (size_t i = 0; i < ft_n_commands; i++)
        if (strcmp(ft_commands[i].name, name) == 0)
            return &ft_commands[i];
    return NULL;
}

struct names {
    size_t i;
    int bit;
};

static const char *next_name(void *user)
{
    struct names *n = user;

    while (n->i < ft_n_options) {
        const struct ft_option *o = &ft_options[n->i++];

        if (o->long_name && (o->commands & n->bit))
            return o->long_name;
    }
    return NULL;
}

/* ---- the command's word ----------------------------------------------------------------------------- */

/* Whether the word after this option belongs to it, whichever command it will be. */
static bool takes_next(const char *word)
{
    const struct ft_option *o;

    if (word[1] == '-') {
        if (strchr(word, '='))
            return false;
        o = ft_option_find(word + 2, strlen(word + 2), FT_CMD_ALL);
        return o && ft_option_takes_value(o);
    }
    for (const char *p = word + 1; *p; p++) {
        o = ft_option_letter(*p, FT_CMD_ALL);
        if (o && ft_option_takes_value(o))
            return !p[1];
    }
    return false;
}

static int command_at(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--") == 0)
            return argc;
        if (argv[i][0] != '-' || !argv[i][1])
            return i;
        i += takes_next(argv[i]);
    }
    return argc;
}

static enum ft_status find(struct parser *p, int at)
{
    const char *word = p->argv[at], *near;
    size_t i = 0;

    p->cli->command = find_command(word);
    if (p->cli->command)
        return FT_OK;
    near = ft_nearest(word, next_command, &i);
    return ft_fail(p->err, FT_EUSAGE, "there is no command \"%.60s\"%s%s%s", word,
                   near ? "; did you mean \"" : " (fraudtop --help lists them)", near ? near : "",
                   near ? "\"?" : "");
}

/* ---- options -------------------------------------------------------------------------------------- */

static enum ft_status add(struct parser *p, const struct ft_option *o, const char *value,
                          const char *source)
{
    struct ft_cli *c = p->cli;
    struct ft_cli_value *list = realloc(c->value, (c->n_values + 1) * sizeof(*list));

    if (!list)
        return ft_fail(p->err, FT_ENOMEM, "no memory for the command line");
    c->value = list;
    list[c->n_values] = (struct ft_cli_value){.option = o, .value = value};
    snprintf(list[c->n_values++].source, sizeof(list->source), "%s", source);
    return FT_OK;
}

static enum ft_status unknown_long(struct parser *p, const char *name, size_t n)
{
    const struct ft_option *o = ft_option_find(name, n, FT_CMD_ALL);
    struct names names = {0, p->bit};
    char word[64], takers[160] = "";
    const char *near;

    snprintf(word, sizeof(word), "%.*s", (int)n, name);
    if (o) { /* it belongs to others */
        for (size_t i = 0; i < ft_n_options; i++)
            for (size_t k = 0; k < ft_n_commands; k++)
                if (ft_options[i].long_name && strcmp(ft_options[i].long_name, word) == 0 &&
                    (ft_options[i].commands & ft_commands[k].bit) &&
                    strlen(takers) + strlen(ft_commands[k].name) + 3 < sizeof(takers))
                    snprintf(takers + strlen(takers), sizeof(takers) - strlen(takers), "%s%s",
                             *takers ? ", " : "", ft_commands[k].name);
        return ft_fail(p->err, FT_EUSAGE, "%s does not know --%s; it belongs to: %s",
                       p->cli->command ? p->cli->command->name : "the console", word, takers);
    }
    near = ft_nearest(word, next_name, &names);
    return ft_fail(p->err, FT_EUSAGE, "there is no option --%s%s%s%s", word,
                   near ? "; did you mean --" : "", near ? near : "", near ? "?" : "");
}

static enum ft_status long_option(struct parser *p, const char *word)
{
    const char *name = word + 2, *eq = strchr(name, '=');
    size_t n = eq ? (size_t)(eq - name) : strlen(name);
    const struct ft_option *o = ft_option_find(name, n, p->bit);
    const char *value = eq ? eq + 1 : NULL;
    char source[64];

    snprintf(source, sizeof(source), "--%.*s", (int)n, name);
    if (!o && n > 3 && memcmp(name, "no-", 3) == 0 && !eq) {
        o = ft_option_find(name + 3, n - 3, p->bit);
        if (o && o->type == FT_OPT_FLAG)
            return add(p, o, "off", source);
        o = NULL;
    }
    if (!o)
        return unknown_long(p, name, n);
    if (!ft_option_takes_value(o))
        return add(p, o, value ? value : "on", source);
    if (!value) {
        if (p->at + 1 >= p->argc)
            return ft_fail(p->err, FT_EUSAGE, "%s wants a value: %s", source, ft_option_arg(o));
        value = p->argv[++p->at];
    }
    return add(p, o, value, source);
}

static enum ft_status short_options(struct parser *p, const char *word)
{
    for (const char *l = word + 1; *l; l++) {
        const struct ft_option *o = ft_option_letter(*l, p->bit);
        char source[8];
        const char *value;
        enum ft_status st;

        snprintf(source, sizeof(source), "-%c", *l);
        if (!o)
            return ft_fail(
                p->err, FT_EUSAGE, "there is no option -%c (fraudtop %s --help lists them)",
                *l >= ' ' && *l < 0x7F ? *l : '?', p->cli->command ? p->cli->command->name : "");
        if (!ft_option_takes_value(o)) {
            st = add(p, o, "on", source);
            if (st != FT_OK)
                return st;
            continue;
        }
        value = l[1] ? l + 1 : p->at + 1 < p->argc ? p->argv[++p->at] : NULL;
        if (!value)
            return ft_fail(p->err, FT_EUSAGE, "%s wants a value: %s", source, ft_option_arg(o));
        return add(p, o, value, source);
    }
    return FT_OK;
}

enum ft_status ft_cli_parse(struct ft_cli *c, int argc, char **argv, struct ft_err *err)
{
    struct parser p = {.cli = c, .argv = argv, .argc = argc, .err = err};
    int command = command_at(argc, argv);
    enum ft_status st = FT_OK;
    bool words_only = false;

    *c = (struct ft_cli){0};
    c->args = calloc((size_t)argc + 1, sizeof(*c->args));
    if (!c->args)
        return ft_fail(err, FT_ENOMEM, "no memory for the command line");
    if (command < argc)
        st = find(&p, command);
    p.bit = c->command ? c->command->bit : FT_CMD_CONSOLE;
    for (p.at = 1; p.at < argc && st == FT_OK; p.at++) {
        const char *word = argv[p.at];

        if (p.at == command)
            continue;
        if (words_only || word[0] != '-' || !word[1])
            c->args[c->n_args++] = word;
        else if (strcmp(word, "--") == 0)
            words_only = true;
        else
            st = word[1] == '-' ? long_option(&p, word) : short_options(&p, word);
    }
    return st;
}

void ft_cli_fini(struct ft_cli *c)
{
    free(c->value);
    free(c->args);
    *c = (struct ft_cli){0};
}

const char *ft_cli_last(const struct ft_cli *c, const char *key)
{
    for (size_t i = c->n_values; i > 0; i--)
        if (strcmp(c->value[i - 1].option->key, key) == 0)
            return c->value[i - 1].value;
    return NULL;
}
