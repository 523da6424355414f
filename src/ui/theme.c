#include "theme.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fraudtop/buf.h"

enum { RED = 1, GREEN, YELLOW, BLUE, MAGENTA, CYAN, WHITE };

#define B FT_LOOK_BOLD
#define R FT_LOOK_REVERSE
#define U FT_LOOK_UNDERLINE
#define D FT_LOOK_DIM
#define MONO                                                                                       \
    {                                                                                              \
        [FT_ROLE_NORMAL] = {-1, -1, 0, 0}, [FT_ROLE_TITLE] = {-1, -1, 0, 0},                       \
        [FT_ROLE_STRONG] = {-1, -1, B, B}, [FT_ROLE_FRAUD] = {-1, -1, B, B},                       \
        [FT_ROLE_WARN] = {-1, -1, U, U}, [FT_ROLE_GOOD] = {-1, -1, 0, 0},                          \
        [FT_ROLE_DOWN] = {-1, -1, R | B, R | B}, [FT_ROLE_MUTED] = {-1, -1, D, 0},                 \
        [FT_ROLE_MASKED] = {-1, -1, 0, 0}, [FT_ROLE_GRAPH] = {-1, -1, 0, 0},                       \
        [FT_ROLE_NOTICE] = {-1, -1, R, R},                                                         \
    }

/* Never blue text on the terminal's own background, never red against green alone. */
const struct ft_theme
    ft_themes[] =
        {
            {.name = "default",
             .help = "for dark and light terminals",
             .role =
                 {
                     [FT_ROLE_NORMAL] = {-1, -1, 0, 0},
                     [FT_ROLE_TITLE] = {73, CYAN, 0, 0},
                     [FT_ROLE_STRONG] = {-1, -1, B, B},
                     [FT_ROLE_FRAUD] = {203, RED, B, B},
                     [FT_ROLE_WARN] = {179, YELLOW, 0, U},
                     [FT_ROLE_GOOD] = {72, GREEN, 0, 0},
                     [FT_ROLE_DOWN] = {203, RED, R, R | B},
                     [FT_ROLE_MUTED] = {245, -1, 0, 0},
                     [FT_ROLE_MASKED] = {139, MAGENTA, 0, 0},
                     [FT_ROLE_GRAPH] = {73, CYAN, 0, 0},
                     [FT_ROLE_NOTICE] = {-1, -1, R, R},
                 }                                                                            },
            {.name = "light",
             .help = "darker colours for a light background",
             .role =
                 {
                     [FT_ROLE_NORMAL] = {-1, -1, 0, 0},
                     [FT_ROLE_TITLE] = {24, CYAN, 0, 0},
                     [FT_ROLE_STRONG] = {-1, -1, B, B},
                     [FT_ROLE_FRAUD] = {124, RED, B, B},
                     [FT_ROLE_WARN] = {94, MAGENTA, 0, U},
                     [FT_ROLE_GOOD] = {22, GREEN, 0, 0},
                     [FT_ROLE_DOWN] = {124, RED, R, R | B},
                     [FT_ROLE_MUTED] = {242, -1, 0, 0},
                     [FT_ROLE_MASKED] = {90, MAGENTA, 0, 0},
                     [FT_ROLE_GRAPH] = {24, CYAN, 0, 0},
                     [FT_ROLE_NOTICE] = {-1, -1, R, R},
                 }                                                                            },
            {.name = "mono",          .help = "bold, reverse and underline only", .role = MONO},
            {.name = "high-contrast",
             .help = "bright and bold",
             .role =
                 {
                     [FT_ROLE_NORMAL] = {15, WHITE, B, 0},
                     [FT_ROLE_TITLE] = {51, CYAN, B, 0},
                     [FT_ROLE_STRONG] = {15, WHITE, B | U, B},
                     [FT_ROLE_FRAUD] = {9, RED, B | R, B},
                     [FT_ROLE_WARN] = {226, YELLOW, B | U, U},
                     [FT_ROLE_GOOD] = {46, GREEN, B, 0},
                     [FT_ROLE_DOWN] = {9, RED, B | R, R | B},
                     [FT_ROLE_MUTED] = {255, WHITE, 0, 0},
                     [FT_ROLE_MASKED] = {213, MAGENTA, B, 0},
                     [FT_ROLE_GRAPH] = {15, WHITE, B, 0},
                     [FT_ROLE_NOTICE] = {-1, -1, R | B, R},
                 }                                                                            },
            {.name = "colour-blind",
             .help = "orange and blue in place of red and green",
             .role =
                 {
                     [FT_ROLE_NORMAL] = {-1, -1, 0, 0},
                     [FT_ROLE_TITLE] = {110, CYAN, 0, 0},
                     [FT_ROLE_STRONG] = {-1, -1, B, B},
                     [FT_ROLE_FRAUD] = {208, YELLOW, B, B},
                     [FT_ROLE_WARN] = {180, YELLOW, U, U},
                     [FT_ROLE_GOOD] = {75, CYAN, 0, 0},
                     [FT_ROLE_DOWN] = {208, YELLOW, R, R | B},
                     [FT_ROLE_MUTED] = {245, -1, 0, 0},
                     [FT_ROLE_MASKED] = {139, MAGENTA, 0, 0},
                     [FT_ROLE_GRAPH] = {75, CYAN, 0, 0},
                     [FT_ROLE_NOTICE] = {-1, -1, R, R},
                 }                                                                            },
};
const size_t ft_n_themes = sizeof(ft_themes) / sizeof(*ft_themes);

const struct ft_theme *ft_theme_find(const char *name)
{
    for (size_t i = 0; name && i < ft_n_themes; i++)
        if (strcmp(ft_themes[i].name, name) == 0)
            return &ft_themes[i];
    return &ft_themes[0];
}

/* ---- the user's own ------------------------------------------------------------------------------- */

static const char *const role_name[FT_N_ROLES] = {
    [FT_ROLE_NORMAL] = "normal", [FT_ROLE_TITLE] = "title",   [FT_ROLE_STRONG] = "strong",
    [FT_ROLE_FRAUD] = "fraud",   [FT_ROLE_WARN] = "warning",  [FT_ROLE_GOOD] = "good",
    [FT_ROLE_DOWN] = "down",     [FT_ROLE_MUTED] = "muted",   [FT_ROLE_MASKED] = "masked",
    [FT_ROLE_GRAPH] = "graph",   [FT_ROLE_NOTICE] = "notice",
};
static const char *const colour_name[8] = {"black", "red",     "green", "yellow",
                                           "blue",  "magenta", "cyan",  "white"};
static const struct {
    const char *name;
    uint8_t bit;
} attr_name[] = {
    {"bold",      FT_LOOK_BOLD     },
    {"reverse",   FT_LOOK_REVERSE  },
    {"underline", FT_LOOK_UNDERLINE},
    {"dim",       FT_LOOK_DIM      },
};

static int distance(uint32_t a, uint32_t b)
{
    int sum = 0;

    for (int shift = 0; shift < 24; shift += 8) {
        int d = (int)(a >> shift & 255) - (int)(b >> shift & 255);

        sum += d * d;
    }
    return sum;
}

/* Of the 240 colours that are the same everywhere: a cube of six steps, and greys. */
static uint32_t rgb_of(int i)
{
    static const uint32_t step[6] = {0, 95, 135, 175, 215, 255};
    static const uint32_t basic[8] = {0,        0xCD0000, 0x00CD00, 0xCDCD00,
                                      0x0000EE, 0xCD00CD, 0x00CDCD, 0xE5E5E5};

    if (i < 16)
        return basic[i % 8];
    if (i >= 232)
        return (uint32_t)(8 + 10 * (i - 232)) * 0x010101;
    i -= 16;
    return step[i / 36] << 16 | step[i / 6 % 6] << 8 | step[i % 6];
}

static int16_t nearest(uint32_t rgb, int from, int to)
{
    int best = from;

    for (int i = from; i < to; i++)
        if (distance(rgb_of(i), rgb) < distance(rgb_of(best), rgb))
            best = i;
    return (int16_t)best;
}

/* A word is a colour or an attribute. */
static bool take_word(struct ft_look *look, uint32_t *rgb, struct ft_span word)
{
    char text[16], *end;
    long n;

    if (word.n >= sizeof(text))
        return false;
    memcpy(text, word.p, word.n);
    text[word.n] = '\0';
    for (size_t i = 0; i < sizeof(attr_name) / sizeof(*attr_name); i++)
        if (strcmp(text, attr_name[i].name) == 0) {
            look->attr |= attr_name[i].bit;
            look->attr_mono |= attr_name[i].bit;
            return true;
        }
    *rgb = 0;
    if (strcmp(text, "default") == 0) {
        look->fg256 = look->fg8 = -1;
        return true;
    }
    for (int16_t i = 0; i < 8; i++)
        if (strcmp(text, colour_name[i]) == 0) {
            look->fg256 = look->fg8 = i;
            return true;
        }
    n = text[0] == '#' ? strtol(text + 1, &end, 16) : strtol(text, &end, 10);
    if (!*text || *end || n < 0 || (text[0] == '#' ? word.n != 7 : n > 255))
        return false;
    if (text[0] == '#')
        *rgb = 0x1000000 | (uint32_t)n;
    look->fg256 = *rgb ? nearest(*rgb & 0xFFFFFF, 16, 256) : (int16_t)n;
    look->fg8 = n < 8 && !*rgb ? (int16_t)n : nearest(rgb_of(look->fg256), 0, 8);
    return true;
}

static enum ft_status take_line(struct ft_theme *t, struct ft_span line, struct ft_err *err)
{
    size_t eq = 0, n, role = 0;
    struct ft_look look = {.fg256 = -1, .fg8 = -1};
    uint32_t rgb = 0;

    while (eq < line.n && line.p[eq] != '=')
        eq++;
    n = eq;
    while (n && line.p[n - 1] == ' ')
        n--;
    while (role < FT_N_ROLES && !ft_span_is((struct ft_span){line.p, n}, role_name[role]))
        role++;
    if (role == FT_N_ROLES || eq == line.n)
        return ft_fail(
            err, FT_EUSAGE,
            "[theme] \"%.*s\": write role = colour; roles are normal, title, strong, fraud, "
            "warning, good, down, muted, masked, graph, notice",
            (int)line.n, line.p);
    for (size_t i = eq + 1; i < line.n; i += n) {
        for (n = 0; i + n < line.n && line.p[i + n] != ' ' && line.p[i + n] != ',';)
            n++;
        if (n && !take_word(&look, &rgb, (struct ft_span){line.p + i, n}))
            return ft_fail(
                err, FT_EUSAGE,
                "[theme] %s: \"%.*s\" is no colour (red, 0 to 255, #rrggbb, default), nor "
                "bold, reverse, underline or dim",
                role_name[role], (int)n, line.p + i);
        n = n ? n : 1;
    }
    t->role[role] = look;
    t->rgb[role] = rgb;
    return FT_OK;
}

enum ft_status ft_theme_own(struct ft_theme *out, const struct ft_theme *base, const char *changes,
                            struct ft_err *err)
{
    enum ft_status st = FT_OK;

    *out = *base;
    out->name = "own";
    out->help = "the configuration file's section [theme]";
    while (st == FT_OK && *changes) {
        struct ft_span line = {changes, strcspn(changes, "\n")};

        changes += line.n + (changes[line.n] == '\n');
        if (line.n)
            st = take_line(out, line, err);
    }
    return st;
}
