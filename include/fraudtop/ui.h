/*
 * The console: draws a feed on the terminal, turns keys into actions.  Only src/ui/term_curses.c knows ncurses.
 * The screens are drawn into a grid of cells first, so that tests, `snapshot`, `P` and recordings see the same picture
 * without a terminal.
 */
#ifndef FRAUDTOP_UI_H
#define FRAUDTOP_UI_H

#include "fraudtop/feed.h"
#include "fraudtop/status.h"

enum ft_screen {
    FT_SCREEN_LIVE = 1,
    FT_SCREEN_QUEUE,
    FT_SCREEN_THRESHOLD,
    FT_SCREEN_REPLAY,
    FT_SCREEN_HEALTH,
    FT_SCREEN_LOG
};

/* What the user chose on the first start, to be done when the screen is gone. */
enum ft_ui_next {
    FT_UI_END,
    FT_UI_DEMO, /* fraudtop demo [FILE] */
    FT_UI_AGAIN /* once more: the settings were written */
};
struct ft_ui_then {
    enum ft_ui_next next;
    char file[512]; /* of a demo; "": the sample */
};

struct ft_ui_opts {
    enum ft_screen first;
    bool ascii, mouse, mask, read_only, slow, first_start;
    const char *theme; /* default, light, mono, high-contrast, colour-blind */
    const char
        *colours; /* the user's own theme, "role = colour" a line (src/ui/theme.h); NULL: none */
    const char *color;        /* auto, always, never */
    int refresh_ms;           /* 500 to 10,000 */
    const char *strip_prefix; /* of merchants, on screen only; "fraud_" */
    const char *record;       /* asciicast file, or NULL */
    const char *keys;         /* "action=key ..." from the configuration, or NULL */
    const char *state_file;   /* columns, sort, theme chosen on screen; NULL: not kept */
    const char
        *log_file; /* descriptor 2 while on screen; snapshots lie beside it; NULL: /dev/null */
    const char *config_file; /* made on the first start, never rewritten; NULL: not known */
    struct ft_ui_then *then; /* NULL: nothing can be started from here */
    const char *export_dir;  /* of e and P; NULL: the working folder */
    const char *cursor;      /* "show" or "hide" */
    const char *bell;        /* "off" or "down,overtime"; NULL: as chosen on screen, or off */
    const char *graph; /* "auto", "block", "ascii", "braille"; NULL: as chosen on screen, or auto */
    bool clipboard;    /* OSC 52 allowed */
    int message_ms; /* how long a message stays; negative: until the next key; 0: as chosen on screen, or 10 s */
    bool note_required;    /* every decision wants a note */
    int64_t over_limit_ms; /* waiting longer is marked; 0: 30 minutes */
    /* Something to write to the log ("names shown"); NULL: nobody. */
    void (*log)(void *self, const char *line);
    void *log_self;
    /* Once, when the first picture is on its way to the terminal: what takes time begins then.  NULL: nobody waits. */
    void (*drawn)(void *self);
    void *drawn_self;
    int frames;  /* end after so many frames; 0: do not */
    int stop_fd; /* readable once the stop flag is up; -1: it is looked at every 250 ms */
    /* The stop flag: the console ends when it is raised (a signal number), and raises it itself on q. */
    volatile int *stop_signal;
};

/*
 * Runs until q or the stop flag; the terminal is given back on every way out.  Call from the main thread, with all
 * signals blocked in the others.  FT_EUSAGE: no terminal, or one without cursor movement.
 */
enum ft_status ft_ui_run(const struct ft_ui_opts *opts, struct ft_feed *feed, struct ft_err *err);

/* One screen as text (format "text", "ansi" or "json") without a terminal; free() it. */
char *ft_ui_snapshot(const struct ft_ui_opts *opts, struct ft_feed *feed, enum ft_screen screen,
                     int cols, int rows, const char *format);

/* The table of actions, for help, hints, palette, completion and the manual. */
struct ft_action {
    const char *name;  /* "case.decide" */
    const char *keys;  /* "d" or "q Esc"; several separated by blanks */
    const char *where; /* "*" everywhere, else letters of screens: L Q C T R H G(log) */
    const char *hint;  /* short, for the hint line: "open" */
    const char *help;  /* one line */
};
extern const struct ft_action ft_actions[];
extern const size_t ft_n_actions;

#endif
