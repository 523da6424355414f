/*
 * The grid of cells that every screen is drawn into: characters and roles, no terminal.  From it come the picture on the
 * terminal, snapshots, recordings and the screen tests.  All drawing is clipped to the grid; text is cleaned on its way in
 * (fraudtop/text.h), so nothing from data can move what stands beside it.
 */
#ifndef FT_CANVAS_H
#define FT_CANVAS_H

#include <stdbool.h>
#include <stdint.h>

#include "fraudtop/buf.h"

/* What a cell means.  The theme turns roles into colours; no meaning is told by the role alone. */
enum ft_role {
    FT_ROLE_NORMAL,
    FT_ROLE_TITLE,  /* titles, rules */
    FT_ROLE_STRONG, /* keys, headings, the screen that is shown */
    FT_ROLE_FRAUD,  /* fraud, high score */
    FT_ROLE_WARN,   /* warning, growing, stale */
    FT_ROLE_GOOD,   /* good, connected */
    FT_ROLE_DOWN,   /* down, failed */
    FT_ROLE_MUTED,  /* less important, or old */
    FT_ROLE_MASKED, /* masked or unmasked personal data */
    FT_ROLE_GRAPH,  /* bars and charts */
    FT_ROLE_NOTICE, /* frozen, messages: reverse */
    FT_N_ROLES
};

struct ft_glyph {
    uint32_t ch;      /* 0: right half of the wide character before it */
    uint32_t mark[2]; /* combining marks, 0: none */
    uint8_t role;     /* enum ft_role */
    bool selected;    /* of the selected row: reverse */
};

enum ft_graph { FT_GRAPH_AUTO, FT_GRAPH_BLOCK, FT_GRAPH_BRAILLE, FT_GRAPH_ASCII, FT_N_GRAPHS };

struct ft_canvas {
    int cols, rows;
    bool ascii; /* everything from ASCII only */
    enum ft_graph
        graph; /* what charts and bars are drawn with; ascii: nothing but FT_GRAPH_ASCII */
    int cursor_x, cursor_y; /* where the hardware cursor belongs */
    struct ft_glyph *cell;  /* rows * cols */
};

bool ft_canvas_init(struct ft_canvas *c, int cols, int rows, bool ascii); /* false: no memory */
void ft_canvas_fini(struct ft_canvas *c);
bool ft_canvas_resize(struct ft_canvas *c, int cols, int rows);
void ft_canvas_clear(struct ft_canvas *c);

/* Text at row y, column x, at most w columns; cut with ~ or an ellipsis.  Returns the columns used. */
int ft_put(struct ft_canvas *c, int y, int x, int w, enum ft_role role, const char *text);
int ft_putf(struct ft_canvas *c, int y, int x, int w, enum ft_role role, const char *fmt, ...)
    FT_PRINTF(6, 7);
/* The same, ending at column x + w - 1. */
void ft_put_right(struct ft_canvas *c, int y, int x, int w, enum ft_role role, const char *text);
/* A long text on at most lines rows, broken at blanks where there are any; returns the rows used. */
int ft_put_lines(struct ft_canvas *c, int y, int x, int w, int lines, enum ft_role role,
                 const char *text);
void ft_put_char(struct ft_canvas *c, int y, int x, enum ft_role role, uint32_t ch);
/* Marks a stretch of a row as selected. */
void ft_select(struct ft_canvas *c, int y, int x, int w);
/* Gives a stretch of a row another role. */
void ft_paint(struct ft_canvas *c, int y, int x, int w, enum ft_role role);
void ft_blank(struct ft_canvas *c, int y, int x, int w);

/* "-- left ------------- right --" over w columns; NULL or "": none. */
void ft_rule(struct ft_canvas *c, int y, int x, int w, const char *left, const char *right);
/* A bar of w columns filled to share (0 to 1), eighths of a column in UTF-8. */
void ft_hbar(struct ft_canvas *c, int y, int x, int w, enum ft_role role, double share);
/* One column of a chart: level of 8 * h steps above the row y (its lowest). */
void ft_vbar(struct ft_canvas *c, int y, int x, int h, enum ft_role role, int level);
/* One character for a level of 0 (blank) to 8. */
uint32_t ft_level_char(const struct ft_canvas *c, int level);

/* The picture as UTF-8 lines without trailing blanks. */
void ft_canvas_text(const struct ft_canvas *c, struct ft_buf *out);
/* Roles as one letter a cell (tsfwgdmkbn, "." normal; upper case and # in the selected row), for tests. */
void ft_canvas_roles(const struct ft_canvas *c, struct ft_buf *out);

#endif
