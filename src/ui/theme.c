#include "theme.h"

#include <string.h>

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
const struct ft_theme ft_themes[] = {
    {"default",
     "for dark and light terminals",                      {
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
     }                    },
    {"light",
     "darker colours for a light background",             {
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
     }           },
    {"mono",          "bold, reverse and underline only", MONO},
    {"high-contrast",
     "bright and bold",                                   {
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
     }                                 },
    {"colour-blind",
     "orange and blue in place of red and green",         {
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
     }       },
};
const size_t ft_n_themes = sizeof(ft_themes) / sizeof(*ft_themes);

const struct ft_theme *ft_theme_find(const char *name)
{
    for (size_t i = 0; name && i < ft_n_themes; i++)
        if (strcmp(ft_themes[i].name, name) == 0)
            return &ft_themes[i];
    return &ft_themes[0];
}
