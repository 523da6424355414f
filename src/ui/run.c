/* The loop: keys, signals, the feed and the clock in one poll; one thread, which alone touches the terminal. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "console.h"
#include "record.h"
#include "term.h"

#define KEY_FRAME_MS 50    /* at most 20 frames a second, for keys */
#define RESIZE_QUIET_MS 50 /* a burst of resizes is handled once, so long after its last */
#define SLOW_FRAME_MS 5000
#define MIN_POLL_MS 5

struct loop {
    const struct ft_ui_opts *opts;
    struct ft_feed *feed;
    struct ft_con *con;
    struct ft_term *term;
    struct ft_record *record;
    struct ft_canvas canvas;
    int signals; /* signalfd of SIGWINCH, SIGTSTP, SIGCONT, SIGUSR1 */
    sigset_t mask_before;
    int stderr_before;
    int64_t next_tick, drawn_ms, resized_ms; /* resized: 0 none is open */
    bool dirty;                              /* something changed: a frame is due */
    bool ours;
    int late; /* frames in a row that the terminal took slowly */
    int frames;
    int64_t stuck_ms;
};

static int64_t clock_ms(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t now_ms(void)
{
    return clock_ms(CLOCK_MONOTONIC);
}

/* ---- signals -------------------------------------------------------------------------------------- */

static void signals_open(struct loop *l)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGWINCH);
    sigaddset(&set, SIGTSTP);
    sigaddset(&set, SIGCONT);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGTTOU);
    sigaddset(&set, SIGTTIN);
    sigaddset(&set, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &set, &l->mask_before);
    sigdelset(&set, SIGTTOU); /* blocked only: then settings can be changed from the background */
    sigdelset(&set, SIGTTIN);
    sigdelset(&set, SIGPIPE);
    l->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

/* Gives the terminal back and stops like any other program; goes on here after fg. */
static void suspend(struct loop *l)
{
    sigset_t set;

    ft_term_leave(l->term);
    sigemptyset(&set);
    sigaddset(&set, SIGTSTP);
    signal(SIGTSTP, SIG_DFL);
    kill(getpid(), SIGTSTP);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL); /* stops here */
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    l->ours = false; /* taken back as soon as we are in front: it may have been bg */
    l->next_tick = 0;
}

static void snapshot_beside_log(struct loop *l)
{
    const char *log = l->opts->log_file, *slash = log ? strrchr(log, '/') : NULL;
    char folder[1024];

    if (slash && slash > log) {
        snprintf(folder, sizeof(folder), "%.*s", (int)(slash - log), log);
        l->con->opts.export_dir = folder;
    }
    ft_save_screen(l->con);
    l->con->opts.export_dir = l->opts->export_dir;
}

static void take_signals(struct loop *l)
{
    struct signalfd_siginfo info;

    while (read(l->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
        switch (info.ssi_signo) {
        case SIGWINCH:
            l->resized_ms = now_ms();
            break;
        case SIGTSTP:
            suspend(l);
            break;
        case SIGCONT: /* also after kill -STOP: whatever happened to the terminal meanwhile */
            l->ours = false;
            l->next_tick = 0;
            break;
        case SIGUSR1:
            snapshot_beside_log(l);
            break;
        }
}

/* ---- frames --------------------------------------------------------------------------------------- */

static int interval_ms(const struct loop *l)
{
    return l->con->slow ? SLOW_FRAME_MS : l->con->refresh_ms;
}

static void tick(struct loop *l)
{
    ft_con_tick(l->con, now_ms(), clock_ms(CLOCK_REALTIME));
    l->dirty = true;
}

/* Offers :slow when the terminal took more than 250 ms for a frame, three times in a row. */
static void watch_speed(struct loop *l, bool drawn)
{
    if (!drawn && ft_term_pending(l->term)) {
        if (!l->stuck_ms)
            l->stuck_ms = now_ms();
        return;
    }
    if (l->stuck_ms) {
        l->late = now_ms() - l->stuck_ms > 250 ? l->late + 1 : 0;
        l->stuck_ms = 0;
        if (l->late == 3 && !l->con->slow)
            ft_say(l->con, "The terminal is slow; :slow draws less (one frame in 5 s, no chart).");
    } else if (drawn) {
        l->late = 0;
    }
}

/* On whole seconds of the clock on screen, so that it ticks evenly (and a recorded scene is the same each time). */
static void next_tick(struct loop *l)
{
    int step = interval_ms(l);
    int64_t wall = l->con->newest->scene ? l->con->now_ms : clock_ms(CLOCK_REALTIME);

    l->next_tick = now_ms() + step - wall % (step < 1000 ? step : 1000) + 1;
}

static void draw(struct loop *l)
{
    int cols, rows;
    bool drawn;

    ft_term_size(l->term, &cols, &rows);
    if (cols != l->canvas.cols || rows != l->canvas.rows)
        ft_canvas_resize(&l->canvas, cols, rows);
    ft_term_theme(l->term, l->con->theme);
    if (l->con->redraw)
        ft_term_redraw(l->term);
    ft_con_draw(l->con, &l->canvas);
    if (l->record)
        ft_record_time(l->record,
                       l->con->newest->scene ? l->con->now_ms / 100 * 100 : l->con->now_ms);
    drawn = ft_term_draw(l->term, &l->canvas);
    watch_speed(l, drawn);
    if (!drawn)
        return;
    l->con->redraw = false;
    l->dirty = false;
    l->drawn_ms = now_ms();
    l->frames++;
}

static void serve_console(struct loop *l)
{
    struct ft_con *c = l->con;

    if (c->clipboard) {
        if (!l->opts->clipboard)
            ft_say(c, "The clipboard is switched off (clipboard = off).");
        else if (ft_term_copy(l->term, c->clipboard, strlen(c->clipboard)))
            ft_say(c, "Sent to the terminal's clipboard.");
        else
            ft_say_error(c, "Too long for the terminal's clipboard.");
        free(c->clipboard);
        c->clipboard = NULL;
    }
    if (c->bell) {
        ft_term_bell(l->term);
        c->bell = false;
    }
    if (c->suspend) {
        c->suspend = false;
        suspend(l);
    }
}

static void take_keys(struct loop *l)
{
    struct ft_key key;

    for (int n = 0; n < 256 && !l->con->quit && ft_term_key(l->term, &key); n++) {
        ft_con_key(l->con, &key);
        serve_console(l);
        l->dirty = true;
    }
}

static int wait_ms(const struct loop *l)
{
    int64_t now = now_ms(), until = l->next_tick, t;

    if (l->dirty && !ft_term_pending(l->term)) {
        t = l->drawn_ms + KEY_FRAME_MS;
        until = t < until ? t : until;
    }
    if (l->resized_ms) {
        t = l->resized_ms + RESIZE_QUIET_MS;
        until = t < until ? t : until;
    }
    if (l->con->n_pending && until > now + KEY_FRAME_MS && l->feed->wake_fd(l->feed->self) < 0)
        until = now + KEY_FRAME_MS; /* an answer is awaited, and nothing will wake us */
    if (l->opts->stop_signal && l->opts->stop_fd < 0 && until > now + 250)
        until = now + 250;
    if (!l->ours && until > now + 250)
        until = now + 250;
    return until <= now ? 0 : (int)(until - now);
}

static bool stopped(const struct loop *l)
{
    return (l->opts->stop_signal && *l->opts->stop_signal) || l->con->quit ||
           ft_term_gone(l->term) || (l->opts->frames && l->frames >= l->opts->frames);
}

/* In the background nothing is drawn or read; back in front, everything is drawn again. */
static void check_ours(struct loop *l)
{
    bool ours = ft_term_ours(l->term);

    if (ours && !l->ours)
        ft_term_return(l->term);
    l->ours = ours;
}

/* The terminal went away.  Its signal may come later than the news, or never (nohup). */
static void hung_up(struct loop *l)
{
    if (l->opts->stop_signal && !*l->opts->stop_signal)
        *l->opts->stop_signal = SIGHUP;
}

static void loop(struct loop *l)
{
    while (!stopped(l)) {
        struct pollfd p[5] = {
            {l->ours ? ft_term_input_fd(l->term) : -1,                   POLLIN,  0},
            {l->signals,                                                 POLLIN,  0},
            {l->feed->wake_fd(l->feed->self),                            POLLIN,  0},
            {l->opts->stop_fd,                                           POLLIN,  0},
            {ft_term_pending(l->term) ? ft_term_output_fd(l->term) : -1, POLLOUT, 0},
        };

        if (poll(p, 5, wait_ms(l)) < 0 && errno != EINTR)
            break;
        if (p[1].revents)
            take_signals(l);
        check_ours(l);
        if (p[0].revents & POLLIN) {
            take_keys(l);
        } else if (p[0].revents & (POLLHUP | POLLERR | POLLNVAL)) {
            hung_up(l);
            break;
        }
        if (p[4].revents)
            ft_term_flush(l->term);
        if (l->resized_ms && now_ms() - l->resized_ms >= RESIZE_QUIET_MS) {
            l->resized_ms = 0;
            ft_term_resized(l->term);
            l->dirty = true;
        }
        if (p[2].revents || now_ms() >= l->next_tick ||
            (l->con->n_pending && l->feed->wake_fd(l->feed->self) < 0)) {
            bool due = now_ms() >= l->next_tick;

            tick(l);
            if (due)
                next_tick(l);
        }
        if (l->dirty && now_ms() - l->drawn_ms >= KEY_FRAME_MS && !l->resized_ms)
            draw(l);
        else if (!ft_term_pending(l->term))
            watch_speed(l, false);
    }
    if (ft_term_gone(l->term))
        hung_up(l);
}

/* ---- the way in and out --------------------------------------------------------------------------- */

/* Whatever a library writes to descriptor 2 goes to the log while the screen is up. */
static void stderr_away(struct loop *l)
{
    const char *path = l->opts->log_file ? l->opts->log_file : "/dev/null";
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

    l->stderr_before = -1;
    if (fd < 0)
        fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    l->stderr_before = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    dup2(fd, STDERR_FILENO);
    close(fd);
}

static void stderr_back(struct loop *l)
{
    if (l->stderr_before < 0)
        return;
    dup2(l->stderr_before, STDERR_FILENO);
    close(l->stderr_before);
}

static enum ft_status start(struct loop *l, struct ft_err *err)
{
    struct ft_term_opts to = {
        .color = l->opts->color,
        .mouse = l->opts->mouse,
        .hide_cursor = l->opts->cursor && strcmp(l->opts->cursor, "hide") == 0,
        .theme = l->con->theme,
    };
    enum ft_status st;
    int cols, rows;

    if (l->opts->record) {
        st = ft_record_open(&l->record, l->opts->record, err);
        if (st != FT_OK)
            return st;
        to.tee = ft_record_bytes;
        to.tee_self = l->record;
    }
    st = ft_term_open(&l->term, &to, err);
    if (st != FT_OK)
        return st;
    ft_term_size(l->term, &cols, &rows);
    if (l->record)
        ft_record_begin(l->record, cols, rows);
    l->con->utf8 = ft_term_utf8(l->term);
    l->con->colours = ft_term_colours(l->term);
    if (!ft_canvas_init(&l->canvas, cols, rows, l->opts->ascii || !l->con->utf8))
        return ft_fail(err, FT_ENOMEM, "console: no memory");
    stderr_away(l);
    if (ft_term_instead(l->term))
        ft_say(l->con, "The terminal's description is not known here; \"%s\" is used in its place.",
               ft_term_instead(l->term));
    return FT_OK;
}

enum ft_status ft_ui_run(const struct ft_ui_opts *opts, struct ft_feed *feed, struct ft_err *err)
{
    struct loop l = {.opts = opts, .feed = feed, .stderr_before = -1, .signals = -1, .ours = true};
    enum ft_status st = ft_con_new(&l.con, opts, feed, err);

    if (st != FT_OK)
        return st;
    signals_open(&l);
    st = start(&l, err);
    if (st == FT_OK) {
        tick(&l);
        draw(&l);
        if (opts->drawn)
            opts->drawn(opts->drawn_self);
        next_tick(&l);
        loop(&l);
    }
    ft_term_close(l.term);
    stderr_back(&l);
    if (l.record)
        ft_record_close(l.record);
    if (l.signals >= 0)
        close(l.signals);
    pthread_sigmask(SIG_SETMASK, &l.mask_before, NULL);
    ft_canvas_fini(&l.canvas);
    ft_con_free(l.con);
    return st;
}
