/* fraudtop completion bash|zsh|fish: scripts made from the tables of commands and options. */
#include <string.h>

#include "app.h"

/* Text inside '...' of a shell. */
static void quoted(const char *text)
{
    for (; *text; text++)
        if (*text == '\'')
            fputs("'\\''", stdout);
        else
            putchar(*text);
}

static void words(const char *choices, char between)
{
    for (; *choices; choices++)
        putchar(*choices == '|' ? between : *choices);
}

/* The words that can stand right after a command, of "list | show TOPIC": list, show; how many. */
static size_t verbs(const struct ft_command *c, bool print)
{
    size_t n = 0;

    for (const char *p = c->args, *next; p && *p; p = next) {
        size_t from = strspn(p, " ["), len = strspn(p + from, "abcdefghijklmnopqrstuvwxyz");

        if (len && print)
            printf("%s%.*s", n ? " " : "", (int)len, p + from);
        n += len > 0;
        next = strchr(p, '|');
        if (next)
            next++;
    }
    return n;
}

/* Calls each for every option with a long name that the command takes. */
static void options(int bit, void (*each)(const struct ft_option *o, const char *command),
                    const char *command)
{
    for (size_t i = 0; i < ft_n_options; i++)
        if (ft_options[i].long_name && (ft_options[i].commands & bit))
            each(&ft_options[i], command);
}

/* ---- bash ----------------------------------------------------------------------------------------- */

static void bash_option(const struct ft_option *o, const char *command)
{
    (void)command;
    printf(" --%s", o->long_name);
}

/* A case for each command and option whose values are words or files. */
static void bash_value(const struct ft_option *o, const char *command)
{
    if (o->type != FT_OPT_CHOICE && o->type != FT_OPT_PATH)
        return;
    printf("    %s,--%s", command, o->long_name);
    if (o->letter)
        printf("|%s,-%c", command, o->letter);
    if (o->type == FT_OPT_PATH) {
        puts(") COMPREPLY=($(compgen -f -- \"$cur\")); return ;;");
        return;
    }
    fputs(") COMPREPLY=($(compgen -W '", stdout);
    words(o->arg, ' ');
    puts("' -- \"$cur\")); return ;;");
}

static void bash(void)
{
    puts("# bash completion for fraudtop: . <(fraudtop completion bash)");
    puts("_fraudtop() {\n"
         "  local cur=${COMP_WORDS[COMP_CWORD]} prev= command=console w\n"
         "  [ \"$COMP_CWORD\" -lt 1 ] || prev=${COMP_WORDS[COMP_CWORD-1]}\n"
         "  for w in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
         "    case $w in");
    fputs("    ", stdout);
    for (size_t i = 0; i < ft_n_commands; i++)
        printf("%s%s", i ? "|" : "", ft_commands[i].name);
    puts(") command=$w; break ;;\n    esac\n  done\n  case $command,$prev in");
    for (size_t i = 0; i < ft_n_commands; i++)
        options(ft_commands[i].bit, bash_value, ft_commands[i].name);
    puts("  esac\n  case $cur in -*) case $command in");
    for (size_t i = 0; i < ft_n_commands; i++) {
        printf("    %s) COMPREPLY=($(compgen -W '", ft_commands[i].name);
        options(ft_commands[i].bit, bash_option, NULL);
        puts("' -- \"$cur\")) ;;");
    }
    puts("    esac; return ;;\n  esac\n  case $command,$prev in");
    for (size_t i = 0; i < ft_n_commands; i++)
        if (verbs(&ft_commands[i], false)) {
            printf("    %s,%s) COMPREPLY=($(compgen -W '", ft_commands[i].name,
                   ft_commands[i].name);
            verbs(&ft_commands[i], true);
            puts("' -- \"$cur\")); return ;;");
        }
    puts("  esac\n  if [ \"$command\" = console ]; then");
    fputs("    COMPREPLY=($(compgen -W '", stdout);
    for (size_t i = 0; i < ft_n_commands; i++)
        printf(" %s", ft_commands[i].name);
    puts("' -- \"$cur\"))\n  else\n    COMPREPLY=($(compgen -f -- \"$cur\"))\n  fi\n}\n"
         "complete -o filenames -F _fraudtop fraudtop");
}

/* ---- zsh ------------------------------------------------------------------------------------------ */

static void zsh_text(const char *text)
{
    for (; *text; text++) {
        if (strchr("[]:\\", *text))
            putchar('\\');
        if (*text == '\'')
            fputs("'\\''", stdout);
        else
            putchar(*text);
    }
}

static void zsh_option(const struct ft_option *o, const char *command)
{
    bool value = ft_option_takes_value(o);

    (void)command;
    printf("      '%s--%s%s[", o->type == FT_OPT_LIST ? "*" : "", o->long_name, value ? "=" : "");
    zsh_text(o->help);
    putchar(']');
    if (o->type == FT_OPT_CHOICE) {
        fputs(":value:(", stdout);
        words(o->arg, ' ');
        putchar(')');
    } else if (o->type == FT_OPT_PATH) {
        fputs(":file:_files", stdout);
    } else if (value) {
        fputs(":value:", stdout);
    }
    puts("' \\");
}

static void zsh(void)
{
    puts("#compdef fraudtop\n"
         "_fraudtop() {\n"
         "  local -a commands\n"
         "  local command=console w\n"
         "  commands=(");
    for (size_t i = 0; i < ft_n_commands; i++) {
        printf("    '%s:", ft_commands[i].name);
        zsh_text(ft_commands[i].summary);
        puts("'");
    }
    puts("  )\n  for w in ${words[2,CURRENT-1]}; do\n    case $w in");
    fputs("      ", stdout);
    for (size_t i = 0; i < ft_n_commands; i++)
        printf("%s%s", i ? "|" : "", ft_commands[i].name);
    puts(") command=$w; break ;;\n    esac\n  done\n"
         "  if [[ $command == console && $PREFIX != -* ]]; then\n"
         "    _describe command commands\n    return\n  fi\n  case $command in");
    for (size_t i = 0; i < ft_n_commands; i++) {
        printf("    %s) _arguments \\\n", ft_commands[i].name);
        options(ft_commands[i].bit, zsh_option, NULL);
        if (verbs(&ft_commands[i], false)) {
            fputs("      '1: :' '2:what:(", stdout);
            verbs(&ft_commands[i], true);
            puts(")' \\");
        }
        puts("      '*:file:_files' ;;");
    }
    puts("  esac\n}\n_fraudtop \"$@\"");
}

/* ---- fish ----------------------------------------------------------------------------------------- */

static void fish_option(const struct ft_option *o, const char *command)
{
    printf("complete -c fraudtop -n '__fish_seen_subcommand_from %s' -l %s", command, o->long_name);
    if (o->letter)
        printf(" -s %c", o->letter);
    if (o->type == FT_OPT_CHOICE) {
        fputs(" -xa '", stdout);
        words(o->arg, ' ');
        putchar('\'');
    } else if (o->type == FT_OPT_PATH) {
        fputs(" -rF", stdout);
    } else if (ft_option_takes_value(o)) {
        fputs(" -x", stdout);
    }
    fputs(" -d '", stdout);
    quoted(o->help);
    puts("'");
}

static void fish(void)
{
    puts("# fish completion for fraudtop");
    for (size_t i = 0; i < ft_n_commands; i++) {
        printf("complete -c fraudtop -n __fish_use_subcommand -f -a %s -d '", ft_commands[i].name);
        quoted(ft_commands[i].summary);
        puts("'");
        if (verbs(&ft_commands[i], false)) {
            printf("complete -c fraudtop -n '__fish_seen_subcommand_from %s; and not "
                   "__fish_seen_subcommand_from ",
                   ft_commands[i].name);
            verbs(&ft_commands[i], true);
            fputs("' -f -a '", stdout);
            verbs(&ft_commands[i], true);
            puts("'");
        }
    }
    for (size_t i = 0; i < ft_n_commands; i++)
        options(ft_commands[i].bit, fish_option, ft_commands[i].name);
}

int ft_cmd_completion(struct ft_app *app)
{
    static const struct {
        const char *name;
        void (*print)(void);
    } shells[] = {
        {"bash", bash},
        {"zsh",  zsh },
        {"fish", fish}
    };

    for (size_t i = 0; app->n_args == 1 && i < sizeof(shells) / sizeof(shells[0]); i++)
        if (strcmp(app->args[0], shells[i].name) == 0) {
            shells[i].print();
            return 0;
        }
    return ft_app_usage(app, "completion wants the name of a shell: bash, zsh or fish");
}
