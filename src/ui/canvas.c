#include "canvas.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fraudtop/text.h"

#define MAX_SIDE 1000

static struct ft_glyph *at(struct ft_canvas *c, int y, int x)
{
    return y >= 0 && y < c->rows && x >= 0 && x < c->cols ? &c->cell[y * c->cols + x] : NULL;
}

bool ft_canvas_init(struct ft_canvas *c, int cols, int rows, bool ascii)
{
    *c = (struct ft_canvas){.ascii = ascii};
    return ft_canvas_resize(c, cols, rows);
}

bool ft_canvas_resize(struct ft_canvas *c, int cols, int rows)
{
    struct ft_glyph *cell;

    cols = cols < 1 ? 1 : cols > MAX_SIDE ? MAX_SIDE : cols;
    rows = rows < 1 ? 1 : rows > MAX_SIDE ? MAX_SIDE : rows;
    cell = calloc((size_t)cols * (size_t)rows, sizeof(*cell));
    if (!cell)
        return false;
    free(c->cell);
    c->cell = cell;
    c->cols = cols;
    c->rows = rows;
    ft_canvas_clear(c);
    return true;
}

void ft_canvas_fini(struct ft_canvas *c)
{
    free(c->cell);
    c->cell = NULL;
}

void ft_canvas_clear(struct ft_canvas *c)
{
    for (int i = 0; i < c->cols * c->rows; i++)
        c->cell[i] = (struct ft_glyph){.ch = ' '};
    c->cursor_x = c->cursor_y = 0;
}

/* Writes a character of one column; halves of a wide one that it covers become blanks. */
static void set(struct ft_canvas *c, int y, int x, enum ft_role role, uint32_t ch)
{
    struct ft_glyph *cell = at(c, y, x), *next = at(c, y, x + 1), *before = at(c, y, x - 1);

    if (!cell)
        return;
    if (cell->ch == 0 && before)
        before->ch = ' ';
    if (next && next->ch == 0 && ch != 0)
        next->ch = ' ';
    *cell = (struct ft_glyph){.ch = ch, .role = (uint8_t)role, .selected = cell->selected};
}

void ft_put_char(struct ft_canvas *c, int y, int x, enum ft_role role, uint32_t ch)
{
    set(c, y, x, role, ch);
}

/* One character of text; returns its columns. */
static int put_one(struct ft_canvas *c, int y, int x, enum ft_role role, uint32_t ch)
{
    int w = ft_char_width(ch);
    struct ft_glyph *cell;

    if (w == 2) {
        if (!at(c, y, x) || !at(c, y, x + 1)) {
            set(c, y, x, role, ' ');
            return 2;
        }
        set(c, y, x, role, ch);
        set(c, y, x + 1, role, ' ');
        at(c, y, x + 1)->ch = 0;
        return 2;
    }
    if (w == 0) {
        cell = at(c, y, x - 1);
        if (cell && cell->ch == 0)
            cell = at(c, y, x - 2);
        if (cell && !cell->mark[0])
            cell->mark[0] = ch;
        else if (cell && !cell->mark[1])
            cell->mark[1] = ch;
        return 0;
    }
    set(c, y, x, role, w < 0 ? '?' : ch);
    return 1;
}

int ft_put(struct ft_canvas *c, int y, int x, int w, enum ft_role role, const char *text)
{
    char clean[4 * FT_TEXT_CHARS + 1], cut[4 * FT_TEXT_CHARS + 8];
    size_t n, i, step;
    int from = x;

    if (y < 0 || y >= c->rows || w <= 0 || x >= c->cols)
        return 0;
    if (w > c->cols - x)
        w = c->cols - x;
    n = ft_text_clean(clean, sizeof(clean), ft_span_of(text));
    n = ft_text_cut(cut, sizeof(cut), (struct ft_span){clean, n}, w, c->ascii);
    for (i = 0; i < n; i += step)
        x += put_one(c, y, x, role, ft_char_next((struct ft_span){cut + i, n - i}, &step));
    return x - from;
}

int ft_putf(struct ft_canvas *c, int y, int x, int w, enum ft_role role, const char *fmt, ...)
{
    char text[1024];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    return ft_put(c, y, x, w, role, text);
}

void ft_put_right(struct ft_canvas *c, int y, int x, int w, enum ft_role role, const char *text)
{
    char clean[4 * FT_TEXT_CHARS + 1];
    size_t n = ft_text_clean(clean, sizeof(clean), ft_span_of(text));
    int used = ft_text_width((struct ft_span){clean, n});

    if (used > w)
        used = w;
    ft_put(c, y, x + w - used, used, role, clean);
}

void ft_select(struct ft_canvas *c, int y, int x, int w)
{
    for (int i = 0; i < w; i++)
        if (at(c, y, x + i))
            at(c, y, x + i)->selected = true;
}

void ft_paint(struct ft_canvas *c, int y, int x, int w, enum ft_role role)
{
    for (int i = 0; i < w; i++)
        if (at(c, y, x + i))
            at(c, y, x + i)->role = (uint8_t)role;
}

void ft_blank(struct ft_canvas *c, int y, int x, int w)
{
    for (int i = 0; i < w; i++) {
        set(c, y, x + i, FT_ROLE_NORMAL, ' ');
        if (at(c, y, x + i))
            at(c, y, x + i)->selected = false;
    }
}

int ft_put_lines(struct ft_canvas *c, int y, int x, int w, int lines, enum ft_role role,
                 const char *text)
{
    char clean[4 * FT_TEXT_CHARS + 1], part[4 * FT_TEXT_CHARS + 1];
    size_t n = ft_text_clean(clean, sizeof(clean), ft_span_of(text)), from = 0;
    int used = 0;

    while (from < n && used < lines) {
        size_t fit = from, blank = from, step;
        int cols = 0;

        while (fit < n && cols <= w) {
            cols += ft_char_width(ft_char_next((struct ft_span){clean + fit, n - fit}, &step));
            if (cols <= w && clean[fit] == ' ')
                blank = fit;
            if (cols <= w)
                fit += step;
        }
        if (used + 1 == lines)
            fit = n; /* the last row is cut */
        else if (fit < n && blank > from)
            fit = blank;
        else if (fit == from)
            fit += 1;
        memcpy(part, clean + from, fit - from);
        part[fit - from] = '\0';
        ft_put(c, y + used++, x, w, role, part);
        from = fit + (fit < n && clean[fit] == ' ');
    }
    return used;
}

void ft_rule(struct ft_canvas *c, int y, int x, int w, const char *left, const char *right)
{
    uint32_t line = c->ascii ? '-' : 0x2500;
    int right_w = right && *right ? ft_text_width(ft_span_of(right)) : 0,
        left_w = left && *left ? ft_text_width(ft_span_of(left)) : 0, used;

    for (int i = 0; i < w; i++)
        set(c, y, x + i, FT_ROLE_TITLE, line);
    if (right_w && right_w + 8 < w &&
        (left_w == 0 || left_w + right_w + 10 <= w || right_w < w / 5)) {
        ft_put(c, y, x + w - right_w - 4, right_w + 2, FT_ROLE_TITLE, " ");
        ft_put(c, y, x + w - right_w - 3, right_w, FT_ROLE_TITLE, right);
        set(c, y, x + w - 3, FT_ROLE_TITLE, ' ');
    } else {
        right_w = 0;
    }
    if (left && *left && w > 6) {
        set(c, y, x + 2, FT_ROLE_TITLE, ' ');
        used = ft_put(c, y, x + 3, w - 5 - (right_w ? right_w + 4 : 0), FT_ROLE_TITLE, left);
        set(c, y, x + 3 + used, FT_ROLE_TITLE, ' ');
    }
}

static bool ascii_graph(const struct ft_canvas *c)
{
    return c->ascii || c->graph == FT_GRAPH_ASCII;
}

uint32_t ft_level_char(const struct ft_canvas *c, int level)
{
    static const char density[] = " .:-=+*#@";
    static const uint8_t dots[] = {0xC0, 0xE4, 0xF6, 0xFF}; /* one to four rows of both columns */

    level = level < 0 ? 0 : level > 8 ? 8 : level;
    if (ascii_graph(c))
        return (uint32_t)density[level];
    if (c->graph == FT_GRAPH_BRAILLE)
        return level ? 0x2800u + dots[(level - 1) / 2] : ' ';
    return level ? 0x2580u + (uint32_t)level : ' '; /* U+2581 to U+2588 */
}

void ft_hbar(struct ft_canvas *c, int y, int x, int w, enum ft_role role, double share)
{
    int eighths;

    if (!(share > 0))
        return;
    eighths = (int)((share > 1 ? 1 : share) * w * 8 + 0.5);
    if (eighths == 0)
        eighths = 1;
    for (int i = 0; i < w && eighths > 0; i++, eighths -= 8) {
        if (ascii_graph(c))
            set(c, y, x + i, role, eighths >= 4 || i == 0 ? '#' : ' ');
        else /* U+2588 full, U+2589 seven eighths ... U+258F one */
            set(c, y, x + i, role, 0x2590u - (uint32_t)(eighths > 8 ? 8 : eighths));
    }
}

void ft_vbar(struct ft_canvas *c, int y, int x, int h, enum ft_role role, int level)
{
    for (int i = 0; i < h && level > 0; i++, level -= 8) {
        uint32_t ch = ft_level_char(c, level > 8 ? 8 : level);

        if (ascii_graph(c))
            ch = level >= 6 ? '#' : level >= 3 ? ':' : '.';
        set(c, y - i, x, role, ch);
    }
}

static void add_char(struct ft_buf *out, uint32_t ch)
{
    char utf8[4];

    ft_buf_add(out, utf8, ft_char_put(utf8, ch));
}

static bool blank(const struct ft_glyph *cell)
{
    return cell->ch == ' ' && !cell->mark[0];
}

void ft_canvas_text(const struct ft_canvas *c, struct ft_buf *out)
{
    for (int y = 0; y < c->rows; y++) {
        const struct ft_glyph *row = c->cell + y * c->cols;
        int end = c->cols;

        while (end > 0 && blank(&row[end - 1]))
            end--;
        for (int x = 0; x < end; x++) {
            if (row[x].ch)
                add_char(out, row[x].ch);
            for (int m = 0; m < 2 && row[x].mark[m]; m++)
                add_char(out, row[x].mark[m]);
        }
        ft_buf_char(out, '\n');
    }
}

void ft_canvas_roles(const struct ft_canvas *c, struct ft_buf *out)
{
    static const char letter[FT_N_ROLES] = {'.', 't', 's', 'f', 'w', 'g', 'd', 'm', 'k', 'b', 'n'};

    for (int y = 0; y < c->rows; y++) {
        const struct ft_glyph *row = c->cell + y * c->cols;
        int end = c->cols;

        while (end > 0 && blank(&row[end - 1]) && row[end - 1].role == FT_ROLE_NORMAL &&
               !row[end - 1].selected)
            end--;
        for (int x = 0; x < end; x++) {
            char l = letter[row[x].role];

            if (row[x].selected)
                l = l == '.' ? '#' : (char)(l - 'a' + 'A');
            ft_buf_char(out, l);
        }
        ft_buf_char(out, '\n');
    }
}
