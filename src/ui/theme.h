/* Themes: what a role looks like on a terminal with 256, 8 or no colours. */
#ifndef FT_THEME_H
#define FT_THEME_H

#include "canvas.h"

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
};

extern const struct ft_theme ft_themes[];
extern const size_t ft_n_themes;
/* By name; the default theme when there is none of that name. */
const struct ft_theme *ft_theme_find(const char *name);

#endif
