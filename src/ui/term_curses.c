#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memfd_create */
#endif
#include "term.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#define NCURSES_WIDECHAR 1
#include <ncurses.h>
#include <term.h>

#include "fraudtop/text.h"

#undef buttons /* a macro of term.h */

#define PENDING_MAX (1 << 20)
#define CLIPBOARD_MAX 74994

/* What brings any terminal back, whatever state it is in: bracketed paste and mouse off, attributes off, cursor shown,
 * keypad as it was, alternate screen left. */
#define RESTORE_XTERM "\033[?2004l\033[?1006l\033[?1000l\033[0m\033[?25h\033[?1l\033>\033[?1049l\r"
#define RESTORE_PLAIN "\033[0m\r\n"

/* The fatal-signal handler can only reach static memory. */
static struct {
    volatile sig_atomic_t armed;
    int fd;
    struct termios saved;
    char restore[96];
    size_t n;
} fatal;

enum { SYNC_UNKNOWN, SYNC_NO, SYNC_YES };
enum {
    CODE_SYNC_YES = KEY_MAX + 1,
    CODE_SYNC_NO,
    CODE_PASTE_BEGIN,
    CODE_PASTE_END,
};

struct ft_term {
    struct ft_term_opts opts;
    int in, out; /* out: our own descriptor, without blocking where possible */
    bool own_out;
    int mem; /* where curses writes */
    FILE *mem_file;
    SCREEN *screen;
    WINDOW *keys; /* a pad, so that reading a key draws nothing */
    struct termios saved, ours;
    int cols, rows;
    bool utf8, color, modern, away, gone, full;
    int sync;
    const char *instead;
    struct ft_canvas before;
    char *pending;
    size_t n_pending, sent;
    int pair[FT_N_ROLES];
    bool direct;                 /* 24-bit colour is announced */
    char select[FT_N_ROLES][24]; /* what curses sends for a role's colour of 24 bits; "": none */
    struct sigaction fatal_before[5];
};

static const int fatal_signals[5] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

/* ---- bytes to the terminal ------------------------------------------------------------------------ */

static void keep(struct ft_term *t, const char *p, size_t n)
{
    char *grown;

    if (t->opts.tee)
        t->opts.tee(t->opts.tee_self, p, n);
    if (t->sent == t->n_pending)
        t->sent = t->n_pending = 0;
    if (t->n_pending + n > PENDING_MAX)
        return;
    grown = realloc(t->pending, t->n_pending + n);
    if (!grown)
        return;
    t->pending = grown;
    memcpy(t->pending + t->n_pending, p, n);
    t->n_pending += n;
}

bool ft_term_flush(struct ft_term *t)
{
    while (t->sent < t->n_pending) {
        struct pollfd p = {t->out, POLLOUT, 0};
        size_t n = t->n_pending - t->sent;
        ssize_t w;

        if (!t->own_out) { /* a blocking descriptor: little by little, only when it takes something */
            if (poll(&p, 1, 0) <= 0)
                return false;
            n = n < 128 ? n : 128;
        }
        w = write(t->out, t->pending + t->sent, n);
        if (w < 0 && errno == EINTR)
            continue;
        if (w < 0 && errno != EAGAIN) {
            t->gone = true;
            t->sent = t->n_pending;
        }
        if (w <= 0)
            return false;
        t->sent += (size_t)w;
    }
    return true;
}

bool ft_term_pending(const struct ft_term *t)
{
    return t->sent < t->n_pending;
}

static void keep_text(struct ft_term *t, const char *text)
{
    keep(t, text, strlen(text));
}

/*
 * Curses knows 256 colours.  A role with one of 24 bits has a number that no other role uses; where curses selects that,
 * the terminal is told the colour itself.
 */
static void keep_colours(struct ft_term *t, const char *p, size_t n)
{
    size_t done = 0;

    for (size_t i = 0; t->direct && i < n; i++)
        for (int r = 0; r < FT_N_ROLES; r++) {
            size_t len = strlen(t->select[r]);
            char rgb[32];

            if (!len || i + len > n || memcmp(p + i, t->select[r], len) != 0)
                continue;
            keep(t, p + done, i - done);
            snprintf(rgb, sizeof(rgb), "\033[38;2;%u;%u;%um", t->opts.theme->rgb[r] >> 16 & 255,
                     t->opts.theme->rgb[r] >> 8 & 255, t->opts.theme->rgb[r] & 255);
            keep_text(t, rgb);
            done = i + len;
            i = done - 1;
            break;
        }
    keep(t, p + done, n - done);
}

/* Takes what curses wrote since the last call, as a whole: no sequence may be cut. */
static void collect(struct ft_term *t)
{
    off_t end = lseek(t->mem, 0, SEEK_CUR);
    char *bytes = end > 0 ? malloc((size_t)end) : NULL;
    ssize_t n = bytes ? pread(t->mem, bytes, (size_t)end, 0) : 0;

    if (n > 0)
        keep_colours(t, bytes, (size_t)n);
    free(bytes);
    if (lseek(t->mem, 0, SEEK_SET) == 0 && ftruncate(t->mem, 0) != 0)
        t->gone = true;
}

/* ---- opening -------------------------------------------------------------------------------------- */

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* Terminals newer than many servers' databases, all of which understand what xterm does. */
static bool like_xterm(const char *term)
{
    static const char *const known[] = {
        "xterm", "alacritty", "foot", "kitty", "wezterm", "ghostty", "contour", "konsole", "gnome",
        "rxvt",  "iterm",     "tmux", "rio",   "vte",     "mlterm",  "st-",     "screen"};

    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (begins(term, known[i]))
            return true;
    return false;
}

static void fatal_handler(int sig)
{
    static const char line[] = "fraudtop: ended by a fault; the log has what came before\n";

    if (fatal.armed) {
        fatal.armed = 0;
        (void)!write(fatal.fd, fatal.restore, fatal.n);
        tcsetattr(fatal.fd, TCSANOW, &fatal.saved);
        (void)!write(fatal.fd, line, sizeof(line) - 1);
    }
    signal(sig, SIG_DFL);
    raise(sig);
}

static void arm(struct ft_term *t)
{
    struct sigaction sa;

    fatal.fd = t->out;
    fatal.saved = t->saved;
    fatal.n = strlen(strncpy(fatal.restore, t->modern ? RESTORE_XTERM : RESTORE_PLAIN,
                             sizeof(fatal.restore) - 1));
    fatal.armed = 1;
    memset(&sa, 0, sizeof(sa));
    sa.sa_handler = fatal_handler;
    sigemptyset(&sa.sa_mask);
    for (int i = 0; i < 5; i++)
        sigaction(fatal_signals[i], &sa, &t->fatal_before[i]);
}

static void disarm(struct ft_term *t)
{
    if (fatal.armed)
        for (int i = 0; i < 5; i++)
            sigaction(fatal_signals[i], &t->fatal_before[i], NULL);
    fatal.armed = 0;
}

/* newterm sets handlers for these; ours are signalfd or none. */
static const int curses_signals[] = {SIGINT, SIGTERM, SIGTSTP, SIGWINCH};
#define N_CURSES_SIGNALS (sizeof(curses_signals) / sizeof(*curses_signals))

static bool try_term(struct ft_term *t, const char *name)
{
    struct sigaction before[N_CURSES_SIGNALS];

    for (size_t i = 0; i < N_CURSES_SIGNALS; i++)
        sigaction(curses_signals[i], NULL, &before[i]);
    t->screen = newterm(name, t->mem_file, stdin);
    for (size_t i = 0; i < N_CURSES_SIGNALS; i++)
        sigaction(curses_signals[i], &before[i], NULL);
    return t->screen != NULL;
}

static bool start_curses(struct ft_term *t, const char *term)
{
    static const char *const others[] = {"xterm-256color", "xterm", "vt100"};

    if (*term && try_term(t, term))
        return true;
    for (size_t i = *term && like_xterm(term) ? 0 : 1; i < 3; i++)
        if (try_term(t, others[i])) {
            t->instead = others[i];
            return true;
        }
    return false;
}

static void set_modes(struct ft_term *t)
{
    t->ours = t->saved;
    t->ours.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ECHONL | IEXTEN);
    t->ours.c_iflag &= ~(tcflag_t)(IXON | ICRNL | INLCR | IGNCR | ISTRIP);
    t->ours.c_oflag &= ~(tcflag_t)OPOST;
    t->ours.c_cc[VMIN] = 1;
    t->ours.c_cc[VTIME] = 0;
    tcsetattr(t->in, TCSANOW, &t->ours);
}

static void read_size(struct ft_term *t)
{
    struct winsize ws;

    t->cols = t->rows = 0;
    if (ioctl(t->out, TIOCGWINSZ, &ws) == 0) {
        t->cols = ws.ws_col;
        t->rows = ws.ws_row;
    }
    if (t->cols < 1 || t->rows < 1) {
        t->cols = 80;
        t->rows = 24;
    }
    t->cols = t->cols > 1000 ? 1000 : t->cols;
    t->rows = t->rows > 1000 ? 1000 : t->rows;
}

static bool want_color(const struct ft_term *t)
{
    const char *no = getenv("NO_COLOR");

    if (t->opts.color && strcmp(t->opts.color, "always") == 0)
        return true;
    if (t->opts.color && strcmp(t->opts.color, "never") == 0)
        return false;
    return !(no && *no);
}

/* By the environment, or by the terminal's description. */
static bool announces_rgb(void)
{
    const char *term = getenv("COLORTERM");

    return (term && (strcmp(term, "truecolor") == 0 || strcmp(term, "24bit") == 0)) ||
           tigetflag("Tc") > 0 || tigetflag("RGB") > 0;
}

/* A colour number that the theme uses nowhere. */
static short free_number(const struct ft_theme *theme, short from)
{
    for (short n = from;; n++) {
        int r = 0;

        while (r < FT_N_ROLES && (theme->rgb[r] || theme->role[r].fg256 != n))
            r++;
        if (r == FT_N_ROLES)
            return n;
    }
}

static void set_pairs(struct ft_term *t)
{
    const struct ft_theme *theme = t->opts.theme;
    const char *setaf = tigetstr("setaf");
    short number = 16;

    if (!t->color)
        return;
    for (int r = 0; r < FT_N_ROLES; r++) {
        short fg = COLORS >= 256 ? theme->role[r].fg256 : theme->role[r].fg8;

        t->select[r][0] = '\0';
        if (theme->rgb[r] && t->direct && COLORS >= 256) {
            fg = number = free_number(theme, number);
            snprintf(t->select[r], sizeof(t->select[r]), "%s", tiparm(setaf, fg));
            number++;
        }
        t->pair[r] = 0;
        if (fg >= 0 && init_pair((short)(r + 1), fg, -1) == OK)
            t->pair[r] = r + 1;
    }
}

/* The arrows in both of their forms: what a terminal sends depends on a mode that not each of them obeys. */
static void arrow_keys(void)
{
    static const struct {
        char letter;
        int code;
    } table[] = {
        {'A', KEY_UP   },
        {'B', KEY_DOWN },
        {'C', KEY_RIGHT},
        {'D', KEY_LEFT },
        {'H', KEY_HOME },
        {'F', KEY_END  },
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        const char normal[] = {'\033', '[', table[i].letter, '\0'},
                   application[] = {'\033', 'O', table[i].letter, '\0'};

        define_key(normal, table[i].code);
        define_key(application, table[i].code);
    }
}

static void extended_input(struct ft_term *t)
{
    const char *sync = tigetstr("Sync");

    arrow_keys();
    define_key("\033[200~", CODE_PASTE_BEGIN);
    define_key("\033[201~", CODE_PASTE_END);
    define_key("\033[?2026;1$y", CODE_SYNC_YES);
    define_key("\033[?2026;2$y", CODE_SYNC_YES);
    define_key("\033[?2026;0$y", CODE_SYNC_NO);
    define_key("\033[?2026;3$y", CODE_SYNC_NO);
    define_key("\033[?2026;4$y", CODE_SYNC_NO);
    t->sync = sync && sync != (const char *)-1 ? SYNC_YES : SYNC_UNKNOWN;
}

/* What curses does not send: paste brackets, and whether the terminal knows synchronized output. */
static void send_modes(struct ft_term *t)
{
    if (!t->modern)
        return;
    keep_text(t, "\033[?2004h");
    if (t->sync == SYNC_UNKNOWN && !getenv("TMUX"))
        keep_text(t, "\033[?2026$p");
}

/* A terminal that is open twice: a descriptor of its own can be without blocking, and nobody else's is changed. */
static int open_again(int fd)
{
    const char *name = ttyname(fd);
    int again = name ? open(name, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC) : -1;

    if (again < 0)
        again = open("/dev/tty", O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    return again;
}

static enum ft_status no_terminal(struct ft_err *err)
{
    return ft_fail(
        err, FT_EUSAGE,
        "standard %s is not a terminal; the console needs one\nuse: fraudtop watch --plain",
        isatty(STDIN_FILENO) ? "output" : "input");
}

enum ft_status ft_term_open(struct ft_term **out, const struct ft_term_opts *opts,
                            struct ft_err *err)
{
    const char *term = getenv("TERM");
    enum ft_status st;
    struct ft_term *t;

    *out = NULL;
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return no_terminal(err);
    t = calloc(1, sizeof(*t));
    if (!t)
        return ft_fail(err, FT_ENOMEM, "terminal: no memory");
    t->opts = *opts;
    t->in = STDIN_FILENO;
    t->mem = -1;
    t->out = open_again(STDOUT_FILENO);
    t->own_out = t->out >= 0;
    if (!t->own_out)
        t->out = STDOUT_FILENO;
    tcgetattr(t->in, &t->saved);
    setlocale(LC_CTYPE, "");
    t->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    term = term ? term : "";
    t->mem = memfd_create("frame", MFD_CLOEXEC);
    t->mem_file = t->mem >= 0 ? fdopen(t->mem, "w") : NULL;
    st =
        ft_fail(err, FT_EUSAGE,
                "the terminal \"%s\" cannot move its cursor, which the console needs; these help:\n"
                "  TERM=xterm-256color fraudtop\n  fraudtop watch --plain\n  fraudtop cases list",
                term);
    if (!t->mem_file || strcmp(term, "dumb") == 0 || !start_curses(t, term))
        goto fail;
    if (!tigetstr("cup") || tigetstr("cup") == (char *)-1)
        goto fail;
    t->modern = like_xterm(t->instead ? t->instead : term);
    t->keys = newpad(1, 1);
    if (!t->keys || !ft_canvas_init(&t->before, 1, 1, false)) {
        st = ft_fail(err, FT_ENOMEM, "terminal: no memory");
        goto fail;
    }
    cbreak();
    noecho();
    nonl();
    keypad(t->keys, TRUE);
    nodelay(t->keys, TRUE);
    if (!getenv("ESCDELAY"))
        set_escdelay(50);
    if (opts->mouse)
        mousemask(BUTTON1_CLICKED | BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED, NULL);
    if (want_color(t) && has_colors() && tigetnum("colors") >= 8) {
        t->color = start_color() == OK;
        use_default_colors();
        t->direct = announces_rgb();
        set_pairs(t);
    }
    if (opts->hide_cursor)
        curs_set(0);
    extended_input(t);
    arm(t);
    set_modes(t);
    ft_term_resized(t);
    send_modes(t);
    *out = t;
    return FT_OK;
fail:
    if (t->screen) {
        endwin();
        delscreen(t->screen);
    }
    if (t->mem_file)
        fclose(t->mem_file);
    if (t->own_out)
        close(t->out);
    free(t);
    return st;
}

/* ---- leaving -------------------------------------------------------------------------------------- */

static int64_t now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Sends what is pending; a terminal that takes nothing for 300 ms loses it. */
static void drain(struct ft_term *t)
{
    int64_t until = now_ms() + 300;

    while (!ft_term_flush(t) && !t->gone && now_ms() < until) {
        struct pollfd p = {t->out, POLLOUT, 0};

        poll(&p, 1, 20);
    }
}

void ft_term_leave(struct ft_term *t)
{
    bool stuck;

    if (t->away)
        return;
    t->away = true;
    drain(t);
    stuck = ft_term_pending(t);
    endwin();
    collect(t);
    if (t->modern)
        keep_text(t, "\033[?2004l\033[0m\033[?25h");
    if (stuck) { /* what was stuck is discarded; then the restore string has room */
        t->sent = t->n_pending;
        tcflush(t->out, TCOFLUSH);
        tcflow(t->out, TCOON);
        keep_text(t, t->modern ? RESTORE_XTERM : RESTORE_PLAIN);
    }
    drain(t);
    tcflush(t->in, TCIFLUSH); /* an answer of the terminal that comes late is not for the shell */
    tcsetattr(t->in, TCSANOW, &t->saved);
}

void ft_term_return(struct ft_term *t)
{
    t->away = false;
    set_modes(t);
    ft_term_resized(t);
    send_modes(t);
}

void ft_term_close(struct ft_term *t)
{
    if (!t)
        return;
    ft_term_leave(t);
    disarm(t);
    delwin(t->keys);
    delscreen(t->screen);
    fclose(t->mem_file);
    if (t->own_out)
        close(t->out);
    ft_canvas_fini(&t->before);
    free(t->pending);
    free(t);
}

/* ---- drawing -------------------------------------------------------------------------------------- */

void ft_term_size(const struct ft_term *t, int *cols, int *rows)
{
    *cols = t->cols;
    *rows = t->rows;
}

int ft_term_colours(const struct ft_term *t)
{
    return t->color ? COLORS : 0;
}

bool ft_term_utf8(const struct ft_term *t)
{
    return t->utf8;
}

const char *ft_term_instead(const struct ft_term *t)
{
    return t->instead;
}

int ft_term_input_fd(const struct ft_term *t)
{
    return t->in;
}

int ft_term_output_fd(const struct ft_term *t)
{
    return t->out;
}

bool ft_term_gone(const struct ft_term *t)
{
    return t->gone;
}

bool ft_term_ours(const struct ft_term *t)
{
    pid_t group = tcgetpgrp(t->in);

    return group < 0 || group == getpgrp();
}

void ft_term_redraw(struct ft_term *t)
{
    t->full = true;
}

void ft_term_resized(struct ft_term *t)
{
    read_size(t);
    resizeterm(t->rows, t->cols);
    ft_canvas_resize(&t->before, t->cols, t->rows);
    t->full = true;
}

void ft_term_theme(struct ft_term *t, const struct ft_theme *theme)
{
    if (t->opts.theme == theme)
        return;
    t->opts.theme = theme;
    set_pairs(t);
    t->full = true;
}

static attr_t attributes(const struct ft_term *t, const struct ft_glyph *cell)
{
    const struct ft_look *look = &t->opts.theme->role[cell->role];
    uint8_t bits = t->color ? look->attr : look->attr_mono;
    attr_t a = 0;

    if (bits & FT_LOOK_BOLD)
        a |= A_BOLD;
    if (bits & FT_LOOK_UNDERLINE)
        a |= A_UNDERLINE;
    if (bits & FT_LOOK_DIM)
        a |= A_DIM;
    if (((bits & FT_LOOK_REVERSE) != 0) != cell->selected)
        a |= A_REVERSE;
    return a;
}

/* A character of which the C library thinks otherwise would move its neighbours: it is shown as a question mark. */
static wchar_t safe(const struct ft_term *t, const struct ft_glyph *cell, int w)
{
    if (cell->ch < 0x7F)
        return (wchar_t)cell->ch;
    if (!t->utf8 || wcwidth((wchar_t)cell->ch) != w)
        return L'?';
    return (wchar_t)cell->ch;
}

static void put_cell(struct ft_term *t, int y, int x, const struct ft_glyph *cell, int w)
{
    wchar_t text[4] = {0};
    cchar_t cc;
    int n = 1;

    text[0] = safe(t, cell, w);
    if (text[0] != L'?' && w > 0)
        for (int m = 0; m < 2 && cell->mark[m]; m++)
            if (wcwidth((wchar_t)cell->mark[m]) == 0)
                text[n++] = (wchar_t)cell->mark[m];
    if (setcchar(&cc, text, attributes(t, cell), (short)(t->color ? t->pair[cell->role] : 0),
                 NULL) == OK)
        mvadd_wch(y, x, &cc);
    if (text[0] == L'?' && w == 2) {
        text[0] = L' ';
        text[1] = 0;
        if (setcchar(&cc, text, attributes(t, cell), 0, NULL) == OK)
            mvadd_wch(y, x + 1, &cc);
    }
}

static bool same_cell(const struct ft_glyph *a, const struct ft_glyph *b)
{
    return a->ch == b->ch && a->role == b->role && a->selected == b->selected &&
           a->mark[0] == b->mark[0] && a->mark[1] == b->mark[1];
}

/* Gives curses the cells that differ; curses finds the cheapest way to them.  True when any did. */
static bool put_changes(struct ft_term *t, const struct ft_canvas *c)
{
    bool any = false;

    for (int y = 0; y < c->rows && y < t->rows; y++)
        for (int x = 0; x < c->cols && x < t->cols; x++) {
            const struct ft_glyph *cell = &c->cell[y * c->cols + x];
            struct ft_glyph *old = &t->before.cell[y * t->before.cols + x];
            bool wide = x + 1 < c->cols && cell[1].ch == 0;

            if (!t->full && same_cell(cell, old) && (!wide || same_cell(cell + 1, old + 1)))
                continue;
            any = true;
            *old = *cell;
            if (cell->ch)
                put_cell(t, y, x, cell, wide ? 2 : 1);
        }
    return any;
}

bool ft_term_draw(struct ft_term *t, const struct ft_canvas *c)
{
    int cy = c->cursor_y < t->rows ? c->cursor_y : t->rows - 1,
        cx = c->cursor_x < t->cols ? c->cursor_x : t->cols - 1;
    bool any;

    if (t->away || !ft_term_flush(t) || !ft_term_ours(t))
        return false;
    if (t->full)
        clearok(curscr, TRUE); /* once: at the start, after a resize, on Ctrl-L */
    any = put_changes(t, c);
    if (!any && !t->full && cy == t->before.cursor_y && cx == t->before.cursor_x)
        return true;
    t->before.cursor_y = cy;
    t->before.cursor_x = cx;
    t->full = false;
    move(cy, cx);
    if (t->sync == SYNC_YES && any)
        keep_text(t, "\033[?2026h");
    wnoutrefresh(stdscr);
    doupdate();
    collect(t);
    if (t->sync == SYNC_YES && any)
        keep_text(t, "\033[?2026l");
    ft_term_flush(t);
    return true;
}

/* ---- keys ----------------------------------------------------------------------------------------- */

static bool mouse_key(struct ft_key *out)
{
    MEVENT e;

    if (getmouse(&e) != OK)
        return false;
    out->x = e.x;
    out->y = e.y;
    out->code = e.bstate & BUTTON4_PRESSED   ? FT_KEY_WHEEL_UP
                : e.bstate & BUTTON5_PRESSED ? FT_KEY_WHEEL_DOWN
                                             : FT_KEY_CLICK;
    return true;
}

static uint32_t named(wint_t code)
{
    static const struct {
        wint_t curses;
        uint32_t ours;
    } table[] = {
        {KEY_UP,           FT_KEY_UP         },
        {KEY_DOWN,         FT_KEY_DOWN       },
        {KEY_LEFT,         FT_KEY_LEFT       },
        {KEY_RIGHT,        FT_KEY_RIGHT      },
        {KEY_HOME,         FT_KEY_HOME       },
        {KEY_END,          FT_KEY_END        },
        {KEY_PPAGE,        FT_KEY_PGUP       },
        {KEY_NPAGE,        FT_KEY_PGDN       },
        {KEY_DC,           FT_KEY_DELETE     },
        {KEY_BTAB,         FT_KEY_BACKTAB    },
        {KEY_ENTER,        FT_KEY_ENTER      },
        {KEY_BACKSPACE,    FT_KEY_BACKSPACE  },
        {KEY_FIND,         FT_KEY_HOME       },
        {KEY_SELECT,       FT_KEY_END        },
        {KEY_A1,           FT_KEY_HOME       },
        {KEY_C1,           FT_KEY_END        },
        {KEY_A3,           FT_KEY_PGUP       },
        {KEY_C3,           FT_KEY_PGDN       },
        {CODE_PASTE_BEGIN, FT_KEY_PASTE_BEGIN},
        {CODE_PASTE_END,   FT_KEY_PASTE_END  },
    };

    if (code >= KEY_F(1) && code <= KEY_F(12))
        return FT_KEY_F1 + (uint32_t)(code - KEY_F(1));
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
        if (table[i].curses == code)
            return table[i].ours;
    return 0;
}

bool ft_term_key(struct ft_term *t, struct ft_key *out)
{
    for (int tries = 0; tries < 64; tries++) {
        wint_t code = 0;
        int kind;

        if (t->away || !ft_term_ours(t))
            return false;
        kind = wget_wch(t->keys, &code);
        if (kind == ERR)
            return false;
        memset(out, 0, sizeof(*out));
        if (kind == OK) {
            out->code = code == '\n' ? FT_KEY_ENTER : code == 8 ? FT_KEY_BACKSPACE : (uint32_t)code;
            if (out->code)
                return true;
        } else if (code == CODE_SYNC_YES || code == CODE_SYNC_NO) {
            t->sync = code == CODE_SYNC_YES ? SYNC_YES : SYNC_NO;
        } else if (code == KEY_MOUSE) {
            if (mouse_key(out))
                return true;
        } else {
            out->code = named(code);
            if (out->code)
                return true;
        }
    }
    return false;
}

/* ---- clipboard and bell --------------------------------------------------------------------------- */

static void base64(const char *p, size_t n, struct ft_buf *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < n; i += 3) {
        unsigned v = (unsigned)(unsigned char)p[i] << 16;

        v |= i + 1 < n ? (unsigned)(unsigned char)p[i + 1] << 8 : 0;
        v |= i + 2 < n ? (unsigned)(unsigned char)p[i + 2] : 0;
        ft_buf_char(out, digits[v >> 18]);
        ft_buf_char(out, digits[v >> 12 & 63]);
        ft_buf_char(out, i + 1 < n ? digits[v >> 6 & 63] : '=');
        ft_buf_char(out, i + 2 < n ? digits[v & 63] : '=');
    }
}

bool ft_term_copy(struct ft_term *t, const char *text, size_t n)
{
    bool tmux = getenv("TMUX") != NULL, ok;
    struct ft_buf b;

    ft_buf_init(&b, CLIPBOARD_MAX + 64);
    ft_buf_text(&b, tmux ? "\033Ptmux;\033\033]52;c;" : "\033]52;c;");
    base64(text, n, &b);
    ft_buf_text(&b, tmux ? "\a\033\\" : "\a");
    ok = !b.failed && n * 4 / 3 < CLIPBOARD_MAX;
    if (ok)
        keep(t, b.p, b.n);
    ft_buf_fini(&b);
    ft_term_flush(t);
    return ok;
}

void ft_term_bell(struct ft_term *t)
{
    keep_text(t, "\a");
    ft_term_flush(t);
}
