/* Themes: what a role looks like on a terminal with 24-bit, 256, 8 or no colours. */
#ifndef FT_THEME_H
#define FT_THEME_H

#include "canvas.h"
#include "fraudtop/status.h"

enum { FT_LOOK_BOLD = 1, FT_LOOK_REVERSE = 2, FT_LOOK_UNDERLINE = 4, FT_LOOK_DIM = 8 };

struct ft_look {
    int16_t fg256, fg8; /* colour number; -1: the terminal's own */
    uint8_t attr;       /* with colours */
    uint8_t attr_mono;  /* without */
};

struct ft_theme {
    const char *name;
    const char *help;
    struct ft_look role[FT_N_ROLES];
    uint32_t rgb[FT_N_ROLES]; /* 0x1rrggbb: for terminals that announce 24-bit colour; 0: none */
};

extern const struct ft_theme ft_themes[];
extern const size_t ft_n_themes;
/*
 * The user's own theme: base with changes, a line each: "fraud = 208 bold", "title = #5fafaf", "warning = yellow
 * underline".  Roles: normal, title, strong, fraud, warning, good, down, muted, masked, graph, notice.  A colour is one of
 * the eight names, default, 0 to 255, or #rrggbb, of which the nearest is taken where 24-bit colour is not announced.
 * FT_EUSAGE names the line and what is allowed.
 */
enum ft_status ft_theme_own(struct ft_theme *out, const struct ft_theme *base, const char *changes,
                            struct ft_err *err);
/* By name; the default theme when there is none of that name. */
const struct ft_theme *ft_theme_find(const char *name);

#endif
