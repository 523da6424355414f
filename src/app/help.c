/* --help, from the tables of commands and options. */
#include <string.h>

#include "cli.h"

enum { COLUMN = 30, WIDTH = 80 };

/* Wraps text into columns COLUMN to WIDTH; the cursor stands at column at. */
static void wrapped(FILE *out, const char *text, size_t at)
{
    size_t col = COLUMN;

    if (at >= COLUMN)
        fprintf(out, "\n%*s", COLUMN, "");
    else
        fprintf(out, "%*s", (int)(COLUMN - at), "");
    while (*text) {
        size_t n = strcspn(text, " ");

        if (col > COLUMN && col + 1 + n > WIDTH) {
            fprintf(out, "\n%*s", COLUMN, "");
            col = COLUMN;
        } else if (col > COLUMN) {
            fputc(' ', out);
            col++;
        }
        fprintf(out, "%.*s", (int)n, text);
        col += n;
        text += n;
        text += strspn(text, " ");
    }
    fputc('\n', out);
}

static void option(FILE *out, const struct ft_option *o)
{
    char left[120], help[400];
    int n;

    if (o->letter)
        n = snprintf(left, sizeof(left), "  -%c, --%s", o->letter, o->long_name);
    else
        n = snprintf(left, sizeof(left), "      --%s", o->long_name);
    if (ft_option_takes_value(o))
        n += snprintf(left + n, sizeof(left) - (size_t)n, " %s",
                      o->type == FT_OPT_CHOICE ? "WORD" : ft_option_arg(o));
    fputs(left, out);
    snprintf(help, sizeof(help), "%s%s%s%s%s%s", o->help,
             o->type == FT_OPT_CHOICE ? " One of " : "", o->type == FT_OPT_CHOICE ? o->arg : "",
             o->type == FT_OPT_CHOICE ? "." : "",
             ft_option_takes_value(o) && o->fallback && *o->fallback ? " Default: " : "",
             ft_option_takes_value(o) && o->fallback ? o->fallback : "");
    wrapped(out, help, (size_t)n);
}

static void options(FILE *out, int bit, bool common)
{
    for (size_t i = 0; i < ft_n_options; i++) {
        const struct ft_option *o = &ft_options[i];

        if (o->long_name && (o->commands & bit) && common == (o->commands == FT_CMD_ALL))
            option(out, o);
    }
}

/* A long choice of words goes on in the next line. */
static void usage(FILE *out, const struct ft_command *c)
{
    int col = fprintf(out, "usage: fraudtop %s", c->name), indent = col;

    for (const char *p = c->args; *p;) {
        const char *bar = strstr(p, " | ");
        int n = (int)(bar ? (size_t)(bar + 2 - p) : strlen(p));

        if (col + 1 + n > WIDTH && col > indent)
            col = fprintf(out, "\n%*s", indent, "") - 1;
        col += fprintf(out, " %.*s", n, p);
        p += n;
        p += *p == ' ';
    }
    fputs(" [options]\n", out);
}

void ft_help_command(FILE *out, const struct ft_command *c)
{
    fprintf(out, "examples:\n%s\n", c->examples);
    usage(out, c);
    fprintf(out, "\n%s\n", c->summary);
    for (size_t i = 0; i < ft_n_options; i++)
        if (ft_options[i].long_name && (ft_options[i].commands & c->bit) &&
            ft_options[i].commands != FT_CMD_ALL) {
            fputs("\noptions:\n", out);
            options(out, c->bit, false);
            break;
        }
    fputs("\nwith every command:\n", out);
    options(out, c->bit, true);
    fputs("\nManual: man fraudtop; settings: man fraudtop-config, fraudtop doctor.\n", out);
}

void ft_help(FILE *out)
{
    fputs(
        "examples:\n"
        "  fraudtop demo                    everything embedded, alive in seconds\n"
        "  fraudtop run FILE.csv            replay, score and store a file; a summary at the end\n"
        "  fraudtop score FILE.csv          only scores, no service needed\n"
        "\nusage: fraudtop [COMMAND] [options] [words]\n\n"
        "Without a command: the console, on the configured broker and database.\n\ncommands:\n",
        out);
    for (size_t i = 0; i < ft_n_commands; i++)
        fprintf(out, "  %-12s %s\n", ft_commands[i].name, ft_commands[i].summary);
    fputs("\noptions of every command:\n", out);
    options(out, FT_CMD_ALL, true);
    fputs("\n\"fraudtop COMMAND --help\" shows the others.  Manual: man fraudtop.\n", out);
}
