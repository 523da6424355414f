/*
 * The terminal.  One thread opens, draws and reads it.  Nothing here waits for the terminal: a frame that it does not
 * take stays pending, and the next ones are skipped until it is through, so that Ctrl-S, a stopped SSH client or a full pipe
 * stops nothing but the picture.
 *
 * How: curses does not write to the terminal but into a memory file; the bytes of each frame are taken from there and
 * written through a descriptor of our own that does not block.  So the bytes can also be counted and recorded, and
 * curses changes no setting of the terminal that we would not know.
 */
#ifndef FT_TERM_H
#define FT_TERM_H

#include "canvas.h"
#include "fraudtop/status.h"
#include "keys.h"
#include "theme.h"

struct ft_term;

struct ft_term_opts {
    const char *color; /* auto, always, never */
    bool mouse;
    bool hide_cursor;
    const struct ft_theme *theme;
    /* Each run of bytes that goes to the terminal, for a recording; NULL: nobody. */
    void (*tee)(void *self, const char *bytes, size_t n);
    void *tee_self;
};

/* FT_EUSAGE: standard input or output is no terminal, or it cannot move the cursor; err says what to do. */
enum ft_status ft_term_open(struct ft_term **out, const struct ft_term_opts *opts,
                            struct ft_err *err);
/* Gives the terminal back as it was found.  Never blocks for longer than 300 ms. */
void ft_term_close(struct ft_term *t);

void ft_term_size(const struct ft_term *t, int *cols, int *rows);
bool ft_term_utf8(const struct ft_term *t);
int ft_term_colours(const struct ft_term *t); /* 0: none are used */
/* The description that is used instead of $TERM; NULL: $TERM itself. */
const char *ft_term_instead(const struct ft_term *t);
int ft_term_input_fd(const struct ft_term *t);

/* Draws what differs from the frame before; nothing when nothing does.  False: skipped, the terminal is behind or not ours
 * now (background). */
bool ft_term_draw(struct ft_term *t, const struct ft_canvas *c);
/* The next frame is drawn in full. */
void ft_term_redraw(struct ft_term *t);
/* Writes what is still pending, as far as it goes; true: all of it. */
bool ft_term_flush(struct ft_term *t);
bool ft_term_pending(const struct ft_term *t);
int ft_term_output_fd(const struct ft_term *t);
/* In the foreground of its terminal. */
bool ft_term_ours(const struct ft_term *t);
/* The terminal has gone away. */
bool ft_term_gone(const struct ft_term *t);

/* The next key that is there; false: none. */
bool ft_term_key(struct ft_term *t, struct ft_key *out);
void ft_term_resized(struct ft_term *t);
void ft_term_theme(struct ft_term *t, const struct ft_theme *theme);
/* Text to the terminal's clipboard (OSC 52, wrapped for tmux); false: too long. */
bool ft_term_copy(struct ft_term *t, const char *text, size_t n);
void ft_term_bell(struct ft_term *t);

/* Gives the terminal back for a while (suspend), and takes it again with a full draw. */
void ft_term_leave(struct ft_term *t);
void ft_term_return(struct ft_term *t);

#endif
