/* The command line, inside src/app only. */
#ifndef FT_CLI_H
#define FT_CLI_H

#include "app.h"

/* What the words of a command line mean; nothing is applied yet. */
struct ft_cli_value {
    const struct ft_option *option;
    const char *value;
    char source[64]; /* "--rate" */
};
struct ft_cli {
    const struct ft_command *command; /* NULL: none was named */
    struct ft_cli_value *value;
    size_t n_values;
    const char **args;
    size_t n_args;
};
/* Splits argv; FT_EUSAGE with the nearest word.  Release with ft_cli_fini, also after an error. */
enum ft_status ft_cli_parse(struct ft_cli *c, int argc, char **argv, struct ft_err *err);
void ft_cli_fini(struct ft_cli *c);
/* The last value of an option on this command line, or NULL. */
const char *ft_cli_last(const struct ft_cli *c, const char *key);

void ft_help(FILE *out);
void ft_help_command(FILE *out, const struct ft_command *c);

#endif
