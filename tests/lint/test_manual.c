/*
 * The manual pages say what the tables say.  Between the lines  .\" begin NAME  and  .\" end NAME  of a page stands what this
 * program makes of a table; with FT_UPDATE=1 it writes it there, else it compares.
 */
#include "ft_test.h"

#include "../src/app/app.h"
#include "fraudtop/filter.h"
#include "fraudtop/pipeline.h"
#include "fraudtop/ui.h"

static struct ft_buf out;

/* Text as mdoc: no line begins with a control character, backslashes are shown. */
static void text(const char *t)
{
    const char *start = t;

    if (*t == '.' || *t == '\'')
        ft_buf_text(&out, "\\&");
    for (; *t; t++) {
        bool sentence = *t == ' ' && t > start && t[-1] == '.'; /* new sentence, new line */

        if (*t == '\\')
            ft_buf_text(&out, "\\e");
        else if (*t == '\n' || sentence)
            ft_buf_text(&out, t[1] == '.' || t[1] == '\'' ? "\n\\&" : "\n");
        else
            ft_buf_char(&out, *t);
    }
}

/* One argument of a macro. */
static void quoted(const char *t)
{
    ft_buf_char(&out, '"');
    for (; *t; t++)
        if (*t == '"')
            ft_buf_text(&out, "\"\"");
        else if (*t == '\\')
            ft_buf_text(&out, "\\e");
        else
            ft_buf_char(&out, *t);
    ft_buf_char(&out, '"');
}

static void commands(void)
{
    ft_buf_text(&out, ".Bl -tag -width 6n\n");
    for (size_t i = 0; i < ft_n_commands; i++) {
        const struct ft_command *c = &ft_commands[i];

        ft_buf_fmt(&out, ".It Cm %s", c->name);
        if (*c->args) {
            ft_buf_text(&out, " Ar ");
            quoted(c->args);
        }
        ft_buf_text(&out, "\n");
        text(c->summary);
        ft_buf_text(&out, ".\n.Bd -literal -compact\n");
        text(c->examples);
        ft_buf_text(&out, ".Ed\n");
    }
    ft_buf_text(&out, ".El\n");
}

static void value(const struct ft_option *o)
{
    if (!ft_option_takes_value(o))
        return;
    ft_buf_text(&out, " Ar ");
    quoted(o->type == FT_OPT_CHOICE ? "WORD" : ft_option_arg(o));
}

static void help(const struct ft_option *o)
{
    text(o->help);
    ft_buf_char(&out, '\n');
    if (o->type == FT_OPT_CHOICE) {
        ft_buf_text(&out, "One of ");
        text(o->arg);
        ft_buf_text(&out, ".\n");
    }
    if (o->fallback && *o->fallback && o->type != FT_OPT_FLAG && o->type != FT_OPT_COUNT) {
        ft_buf_text(&out, "Default: ");
        text(o->fallback);
        ft_buf_text(&out, ".\n");
    }
}

static void takers(const struct ft_option *o)
{
    bool first = true;

    ft_buf_text(&out, "With");
    for (size_t i = 0; i < ft_n_commands; i++)
        if (ft_commands[i].bit & o->commands) {
            ft_buf_fmt(&out, "%s\n.Cm %s", first ? "" : " ,", ft_commands[i].name);
            first = false;
        }
    ft_buf_text(&out, " .\n");
}

static void options(void)
{
    ft_buf_text(&out, ".Bl -tag -width 6n\n");
    for (size_t i = 0; i < ft_n_options; i++) {
        const struct ft_option *o = &ft_options[i];

        if (!o->long_name)
            continue;
        if (o->letter)
            ft_buf_fmt(&out, ".It Fl %c , Fl -%s", o->letter, o->long_name);
        else
            ft_buf_fmt(&out, ".It Fl -%s", o->long_name);
        value(o);
        ft_buf_char(&out, '\n');
        help(o);
        if (o->commands != FT_CMD_ALL)
            takers(o);
    }
    ft_buf_text(&out, ".El\n");
}

static void settings(void)
{
    char section[64] = "";

    for (size_t i = 0; i < ft_n_options; i++) {
        const struct ft_option *o = &ft_options[i];
        int n = (int)strcspn(o->key, ".");
        bool here = true;

        /* a section where its first row stands, with all its rows */
        for (size_t k = 0; k < i; k++)
            here = here && strncmp(ft_options[k].key, o->key, (size_t)n + 1) != 0;
        if (!here)
            continue;
        snprintf(section, sizeof(section), "%.*s.", n, o->key);
        ft_buf_fmt(&out, ".Ss [%.*s]\n.Bl -tag -width 6n\n", n, o->key);
        for (size_t k = i; k < ft_n_options; k++) {
            const struct ft_option *s = &ft_options[k];

            if (strncmp(s->key, section, (size_t)n + 1) != 0)
                continue;
            ft_buf_fmt(&out, ".It Ic %s", s->key);
            ft_buf_text(&out, " Ar ");
            quoted(s->type == FT_OPT_CHOICE  ? "WORD"
                   : s->type == FT_OPT_COUNT ? "N"
                                             : ft_option_arg(s));
            ft_buf_char(&out, '\n');
            help(s);
            if (s->long_name)
                ft_buf_fmt(&out, "On the command line:\n.Fl -%s .\n", s->long_name);
        }
        ft_buf_text(&out, ".El\n");
    }
}

static void actions(void)
{
    ft_buf_text(&out, ".Bl -tag -width 18n\n");
    for (size_t i = 0; i < ft_n_actions; i++) {
        const struct ft_action *a = &ft_actions[i];

        ft_buf_fmt(&out, ".It Ic %s", a->name);
        if (a->keys && *a->keys) {
            ft_buf_text(&out, " Li \\&"); /* a key may be a point */
            text(a->keys);
        }
        ft_buf_text(&out, "\n");
        text(a->help);
        ft_buf_text(&out, ".\n");
    }
    ft_buf_text(&out, ".El\n");
}

static void metrics(void)
{
    for (size_t i = 0; i < FT_N_METRICS; i++)
        ft_buf_fmt(&out, ".It Li %s\n", ft_metric_name[i]);
}

static char *read_all(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    char *p = malloc(1 << 20);

    if (!f) {
        free(p);
        return NULL;
    }
    assert_non_null(p);
    *n = fread(p, 1, (1 << 20) - 1, f);
    fclose(f);
    p[*n] = '\0';
    return p;
}

static void page(const char *name, const char *region, void (*make)(void))
{
    char path[1024], begin[64], end[64];
    char *all, *from, *to;
    size_t n;

    snprintf(path, sizeof(path), FT_SOURCE_DIR "/man/%s", name);
    snprintf(begin, sizeof(begin), "\n.\\\" begin %s\n", region);
    snprintf(end, sizeof(end), ".\\\" end %s\n", region);
    all = read_all(path, &n);
    if (!all)
        fail_msg("there is no page %s", path);
    from = strstr(all, begin);
    to = from ? strstr(from, end) : NULL;
    if (!to)
        fail_msg("%s has no lines begin and end %s", name, region);
    from += strlen(begin);
    ft_buf_clear(&out);
    make();
    assert_false(out.failed);
    if ((size_t)(to - from) != out.n || memcmp(from, out.p, out.n) != 0) {
        if (!getenv("FT_UPDATE"))
            fail_msg("%s: %s is not what the table says; run FT_UPDATE=1 lint_test_manual", name,
                     region);
        else {
            FILE *f = fopen(path, "wb");

            assert_non_null(f);
            fwrite(all, 1, (size_t)(from - all), f);
            fwrite(out.p, 1, out.n, f);
            fwrite(to, 1, n - (size_t)(to - all), f);
            assert_int_equal(fclose(f), 0);
        }
    }
    free(all);
}

static void commands_are_in_the_manual(void **state)
{
    (void)state;
    page("fraudtop.1", "commands", commands);
}

static void options_are_in_the_manual(void **state)
{
    (void)state;
    page("fraudtop.1", "options", options);
}

static void settings_are_in_the_manual(void **state)
{
    (void)state;
    page("fraudtop-config.5", "settings", settings);
}

static void actions_are_in_the_manual(void **state)
{
    (void)state;
    page("fraudtop-keys.7", "actions", actions);
}

/* Every metric by its name; what it means stands beside it. */
static void metrics_are_in_the_manual(void **state)
{
    size_t n;
    char *all = read_all(FT_SOURCE_DIR "/man/fraudtop.1", &n), *line;

    (void)state;
    assert_non_null(all);
    ft_buf_clear(&out);
    metrics();
    for (line = strtok(out.p, "\n"); line; line = strtok(NULL, "\n"))
        if (!strstr(all, line))
            fail_msg("fraudtop.1 does not name the metric: %s", line);
    free(all);
}

static void filter_fields_are_in_the_manual(void **state)
{
    size_t n;
    char *all = read_all(FT_SOURCE_DIR "/man/fraudtop.1", &n), *fields;

    (void)state;
    assert_non_null(all);
    fields = strstr(all, "\nFields:\n");
    assert_non_null(fields);
    fields[9 + strcspn(fields + 9, "\n")] = '\0';
    for (int f = FT_FIELD_ANY + 1; f < FT_N_FIELDS; f++)
        if (!strstr(fields, ft_filter_field_name[f]))
            fail_msg("fraudtop.1 does not name the field: %s", ft_filter_field_name[f]);
    free(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filter_fields_are_in_the_manual),
        cmocka_unit_test(commands_are_in_the_manual),
        cmocka_unit_test(options_are_in_the_manual),
        cmocka_unit_test(settings_are_in_the_manual),
        cmocka_unit_test(actions_are_in_the_manual),
        cmocka_unit_test(metrics_are_in_the_manual),
    };
    int failed;

    ft_buf_init(&out, 1 << 20);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    ft_buf_fini(&out);
    return failed;
}
