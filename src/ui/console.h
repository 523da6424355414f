/*
 * The console without a terminal: what is shown, what keys do.  run.c feeds it keys and time and puts its picture on
 * the terminal; tests and snapshots do the same without one.
 *
 * A screen is a struct of functions (struct ft_view).  Overlays (help, options, ...) lie over a screen and take its keys;
 * a prompt takes the last line and all keys.
 */
#ifndef FT_CONSOLE_H
#define FT_CONSOLE_H

#include "canvas.h"
#include "columns.h"
#include "keys.h"
#include "list.h"
#include "theme.h"

struct cJSON;
struct ft_con;

struct ft_box {
    int y, x, h, w;
};

/* What lies on top.  The first ones are the screens of the keys 1 to 6. */
enum ft_place {
    FT_PLACE_LIVE,
    FT_PLACE_QUEUE,
    FT_PLACE_THRESHOLD,
    FT_PLACE_REPLAY,
    FT_PLACE_HEALTH,
    FT_PLACE_LOG,
    FT_PLACE_CASE, /* opened from Live, Queue, Threshold or Log */
    FT_PLACE_HELP,
    FT_PLACE_OPTIONS,
    FT_PLACE_COLUMNS,
    FT_PLACE_START, /* start form of a replay */
    FT_PLACE_REJECTS,
    FT_PLACE_TOPICS,
    FT_PLACE_TEXT,  /* a text to read: handover, raw message */
    FT_PLACE_FIRST, /* first start */
    FT_N_PLACES
};

struct ft_view {
    char letter; /* for ft_actions[].where; 0: takes keys by itself */
    const char *title;
    const enum ft_act *hints; /* most useful first, ended by FT_N_ACTS */
    const char *tip;          /* said on the first starts, {open}: the action's key; NULL: none */
    void (*draw)(struct ft_con *c, struct ft_canvas *cv, struct ft_box box);
    /* True when it did something with the action. */
    bool (*act)(struct ft_con *c, enum ft_act act);
    /* A key that is no action here; only of overlays. */
    bool (*key)(struct ft_con *c, uint32_t code);
    void (*enter)(struct ft_con *c);
    void (*tick)(struct ft_con *c); /* after new data */
    /* This action would do something now; NULL: all that act takes. */
    bool (*can)(const struct ft_con *c, enum ft_act act);
};
extern const struct ft_view *const ft_views[FT_N_PLACES];

enum { FT_BELL_DOWN = 1, FT_BELL_OVERTIME = 2 }; /* what rings */
unsigned ft_bells_find(const char *list);        /* "down,overtime" or "off" */

extern const char *const ft_graph_name[FT_N_GRAPHS];
enum ft_graph ft_graph_find(const char *name); /* FT_N_GRAPHS: none is called so */

extern const struct ft_view ft_view_live, ft_view_queue, ft_view_threshold, ft_view_replay,
    ft_view_health, ft_view_log, ft_view_case, ft_view_help, ft_view_options, ft_view_columns,
    ft_view_start, ft_view_rejects, ft_view_topics, ft_view_text, ft_view_first;

/* ---- prompts -------------------------------------------------------------------------------------- */

#define FT_PROMPT_BYTES 256 /* of a line that is typed, unless it says otherwise */

struct ft_prompt {
    bool active, one_key; /* one_key: any of keys ends it */
    char above[200];      /* line over it; empty: none */
    char label[160];
    char text[1024]; /* UTF-8 */
    size_t limit;    /* bytes that can be typed */
    size_t n, cur;   /* bytes */
    char keys[24];
    bool required;
    void (*done)(struct ft_con *c, const char *text);
    void (*changed)(struct ft_con *c, const char *text);
    void (*cancelled)(struct ft_con *c);
    bool palette;        /* completes names, has a history */
    size_t choice, back; /* of the names; of the history */
};

/* ---- questions ------------------------------------------------------------------------------------ */

struct ft_pending {
    uint64_t ticket;
    enum ft_ask_kind kind;
    uint32_t args; /* a hash of them */
    int64_t since_ms;
    void (*answered)(struct ft_con *c, const struct ft_answer *a, const struct cJSON *json);
};
#define FT_MAX_PENDING 32

/* Something that was asked for and is shown: the five states of a pane. */
struct ft_loaded {
    bool asked, have, failed;
    int64_t asked_ms, at_ms;
    char error[240];
    struct cJSON *json;
};

/* ---- the state of each screen --------------------------------------------------------------------- */

enum ft_case_pane {
    FT_CASE_OVERVIEW,
    FT_CASE_FIELDS,
    FT_CASE_WHY,
    FT_CASE_CUSTOMER,
    FT_CASE_MERCHANT,
    FT_CASE_AUDIT,
    FT_CASE_RAW,
    FT_N_CASE_PANES
};

struct ft_what_if {
    char column[32], from[48], to[48];
    double score; /* NaN: not answered yet */
};

struct ft_case_state {
    struct ft_uuid id, asked; /* asked: whose answer is awaited */
    struct ft_flagged row;    /* what the list knew, shown until the answer is there */
    struct ft_loaded data;
    enum ft_case_pane pane;
    enum ft_place from;
    int scroll;
    struct ft_what_if what_if[4];
    size_t n_what_if;
    bool opened;
};

struct ft_thr_state {
    struct ft_loaded data;
    double all[FT_SCORE_BINS + 1], fraud[FT_SCORE_BINS + 1], legit[FT_SCORE_BINS + 1],
        amount[FT_SCORE_BINS + 1]; /* sums of the bins from here up */
    double hours, sample;
    bool labels;
    double cursor;
    bool cursor_set;
    int at;                  /* of the known frauds between threshold and cursor */
    double to_apply, before; /* a threshold, and the one that it replaces */
};

#define FT_MAX_FILES 512
#define FT_MAX_MARKED 9
struct ft_file_row {
    char name[256], state[48], label[64];
    bool folder, labels_known, labels;
    bool waiting;                /* behind the replay that runs here */
    bool rejects;                /* its last run had some */
    double size, rows, rejected; /* NaN: not known */
};
struct ft_replay_state {
    struct ft_loaded files, rejects;
    struct ft_file_row *file;
    size_t n_file, at, top;
    char folder[FT_PATH_MAX];
    char marked[FT_MAX_MARKED][256]; /* names, in the order of their marks */
    int n_marked;
    char search[160];
    int field; /* of the start form */
    char form[6][4096];
    int reject_scroll;
    char rejects_of[256]; /* the file's name; empty: of the newest run */
    char seen_run[sizeof(((struct ft_replay_view *)0)->run)]; /* when the files were asked for */
    bool seen_active;
};

struct ft_health_state {
    struct ft_loaded parts, topics, messages;
    int pane, at, scroll;
    char topic[128];
    int topic_at, message_at;
    bool in_messages;
    char find[64];
};

struct ft_log_state {
    struct ft_loaded data;
    int at, scroll;
    char search[64];
};

struct ft_text_state {
    char title[120];
    char *text;
    int scroll;
};

struct ft_help_state {
    int scroll;
    char search[64];
};

#define FT_TIP_STARTS 3 /* the tips stand on so many starts */

/* ---- the console ---------------------------------------------------------------------------------- */

struct ft_con {
    struct ft_ui_opts opts;
    struct ft_feed *feed;
    struct ft_keymap keymap;
    const struct ft_theme *theme;
    struct ft_theme own;    /* name NULL: there is none */
    struct ft_live *live;   /* what is drawn */
    struct ft_live *newest; /* what is known; differs while frozen */
    bool have_live;
    int64_t now_ms, wall_ms;
    int utc_offset_s;
    bool utf8; /* the terminal takes UTF-8; drawing follows unless opts.ascii */

    enum ft_place place[8]; /* stack: a screen and what lies over it */
    size_t n_place;

    bool frozen;
    int64_t frozen_ms;
    uint64_t frozen_flagged;
    int64_t
        frozen_age_ms; /* as shown: in steps, since a frozen screen shall send next to nothing */
    uint64_t frozen_new;
    bool masked, slow;
    int refresh_ms;
    int stay_ms; /* how long a message stays; 0: until the next key */
    enum ft_graph graph;
    unsigned bell_on; /* FT_BELL_ */
    enum ft_score_window window;

    char message[240];
    bool message_error;
    int64_t message_ms;
    uint64_t message_seq; /* of the feed */

    struct ft_prompt prompt;
    char history[16][128]; /* of the palette, newest first */
    size_t n_history;

    struct cJSON *answer_json; /* of the answer that is being taken; ft_loaded_take keeps it */
    struct ft_pending pending[FT_MAX_PENDING];
    size_t n_pending;

    struct ft_list flagged, queue;
    struct ft_columns live_cols, queue_cols;
    struct ft_loaded queue_data, stats;
    double queue_total;
    uint64_t queue_seen; /* what the counts were when it was asked for */
    struct ft_case_state cs;
    struct ft_thr_state thr;
    struct ft_replay_state rp;
    struct ft_health_state he;
    struct ft_log_state lg;
    struct ft_text_state tx;
    struct ft_help_state hp;
    int colours;       /* of the terminal; 0: none, or not known */
    char brokers[256]; /* typed on the first start */
    int option_at, column_at, first_at;
    int starts; /* of consoles that keep their state here, this one included; 0: not counted */

    /* A decision on its way through the prompts. */
    struct {
        char verdict[16], reason[48], note[200], until[32];
        struct ft_uuid *id;
        size_t n;
    } decide;

    /* What run.c shall do. */
    bool quit, redraw, suspend;
    char *clipboard; /* OSC 52 text, taken by run.c */
    bool bell, bell_due;
    int64_t bell_ms;
    bool was_down, typed;
    uint64_t was_over_limit;
    bool pasting;
    int last_rows;                                /* of the list drawn last: a page */
    int list_y, list_h;                           /* where it was drawn, for the mouse */
    struct ft_column_place heading[FT_N_COLUMNS]; /* above it, x of the screen */
    size_t n_heading;
    int last_cols, last_lines; /* of the canvas drawn last */
    bool last_ascii;
};

/* keys of opts are checked: FT_EUSAGE. */
enum ft_status ft_con_new(struct ft_con **out, const struct ft_ui_opts *opts, struct ft_feed *feed,
                          struct ft_err *err);
void ft_con_free(struct ft_con *c);
/* Reads the feed.  now_ms: monotonic; of a scene the scene's own. */
void ft_con_tick(struct ft_con *c, int64_t now_ms, int64_t wall_ms);
void ft_con_key(struct ft_con *c, const struct ft_key *key);
void ft_con_draw(struct ft_con *c, struct ft_canvas *cv);

/* ---- for the screens ------------------------------------------------------------------------------ */

enum ft_place ft_con_screen(const struct ft_con *c); /* one of the six */
enum ft_place ft_con_top(const struct ft_con *c);
void ft_con_go(struct ft_con *c, enum ft_place screen); /* drops what lies over */
void ft_con_push(struct ft_con *c, enum ft_place place);
void ft_con_pop(struct ft_con *c);
void ft_con_act(struct ft_con *c, enum ft_act act);
bool ft_con_can(const struct ft_con *c, enum ft_act act); /* for the hint line */

void ft_say(struct ft_con *c, const char *fmt, ...) FT_PRINTF(2, 3);
void ft_say_error(struct ft_con *c, const char *fmt, ...) FT_PRINTF(2, 3);

/* Asks the feed; fmt makes the arguments as JSON (NULL: none).  False, with a message, when that cannot be asked. */
bool ft_con_ask(struct ft_con *c, enum ft_ask_kind kind,
                void (*answered)(struct ft_con *, const struct ft_answer *, const struct cJSON *),
                const char *args);
/* Asks for what a pane shows, in place of an open question with other arguments; false: the same question is open, or it
 * cannot be asked. */
bool ft_con_load(struct ft_con *c, struct ft_loaded *l, enum ft_ask_kind kind,
                 void (*answered)(struct ft_con *, const struct ft_answer *, const struct cJSON *),
                 const char *args);
/* What every such answer does first; true when l holds new data. */
bool ft_loaded_take(struct ft_con *c, struct ft_loaded *l, const struct ft_answer *a);
void ft_loaded_drop(struct ft_loaded *l);
/* For a title: "stale 42 s" when the last question failed and older data are shown, else otherwise. */
const char *ft_loaded_age(const struct ft_con *c, const struct ft_loaded *l, char *out, size_t size,
                          const char *otherwise);
/* Draws the waiting or failed state of a pane; true when there is data and the caller draws. */
bool ft_loaded_draw(const struct ft_con *c, const struct ft_loaded *l, struct ft_canvas *cv,
                    struct ft_box box);

void ft_prompt_text(struct ft_con *c, const char *label, const char *text,
                    void (*done)(struct ft_con *, const char *));
void ft_prompt_key(struct ft_con *c, const char *label, const char *keys,
                   void (*done)(struct ft_con *, const char *));
void ft_prompt_input(struct ft_con *c, uint32_t code);
void ft_prompt_draw(const struct ft_con *c, struct ft_canvas *cv);
void ft_palette_open(struct ft_con *c);
void ft_palette_draw(const struct ft_con *c, struct ft_canvas *cv);

void ft_frame_draw(struct ft_con *c, struct ft_canvas *cv); /* lines 1 and 2, the last line */
/* "1,204 draining 00:08"; per_s: of the stage, its role is a warning when it grows and is more than a second's work. */
void ft_lag_text(int64_t lag, double slope, double per_s, char *out, size_t size,
                 enum ft_role *role);
/* A rule that says FROZEN when the picture is. */
void ft_title(const struct ft_con *c, struct ft_canvas *cv, int y, int x, int w, const char *left,
              const char *right);
bool ft_compact(const struct ft_canvas *cv);
bool ft_wide(const struct ft_canvas *cv);

/* The list that is shown or that the case came from; NULL: none. */
struct ft_list *ft_con_list(struct ft_con *c);
const struct ft_theme *ft_con_theme(const struct ft_con *c, const char *name); /* "own" too */
void ft_list_draw(struct ft_con *c, struct ft_canvas *cv, struct ft_box box, struct ft_list *l,
                  const struct ft_columns *cols);
bool ft_list_act(struct ft_con *c, struct ft_list *l, enum ft_act act);
/* A click on a heading: sorts by it, a second one reverses. */
void ft_list_sort_by(struct ft_con *c, struct ft_list *l, enum ft_column col);
void ft_case_open(struct ft_con *c, const struct ft_uuid *id, const struct ft_flagged *row);
/* Reads a case beside its list, without opening it: the preview. */
void ft_case_peek(struct ft_con *c, const struct ft_flagged *row);
void ft_case_reload(struct ft_con *c);
void ft_queue_reload(struct ft_con *c);
void ft_log_reload(struct ft_con *c);
char *ft_case_raw(const struct ft_con *c); /* JSON, masked where it must be; free() it */
void ft_case_draw(struct ft_con *c, struct ft_canvas *cv, struct ft_box box);
/* What the case that was read says, on one line each: why, and what the customer did before. */
void ft_case_why_line(const struct ft_con *c, char *out, size_t size);
void ft_case_usual_line(const struct ft_con *c, char *out, size_t size);
void ft_case_before_line(const struct ft_con *c, char *out, size_t size);
/* Decide, undo, claim, note and so on: what works on a row wherever it is shown. */
bool ft_review_act(struct ft_con *c, enum ft_act act);
/* Why nothing can be written here; NULL: it can. */
const char *ft_read_only(const struct ft_con *c);
bool ft_review_can(const struct ft_con *c, enum ft_act act);
const struct ft_flagged *
ft_con_row(const struct ft_con *c); /* the row that keys work on; NULL: none */
void ft_thr_simulate(struct ft_con *c, double x);
void ft_addresses_show(struct ft_con *c);
char *ft_text_wrap(const char *text, int w);
void ft_text_show(struct ft_con *c, const char *title, const char *text);
/* Messages of a topic ("": all that a transaction goes through); find: as typed behind /, "" for the newest. */
void ft_topic_open(struct ft_con *c, const char *topic, const char *find);
void ft_histogram_draw(const struct ft_con *c, struct ft_canvas *cv, struct ft_box box,
                       const uint64_t *bin, double now, double cursor);
/* Moves a scroll position; true when act is such a move. */
bool ft_scroll_act(enum ft_act act, int page, int *scroll);
/* The next of n rows after (dir > 0) or before at for which holds is true, at itself the last one; -1: none. */
int ft_find_around(const struct ft_con *c, int n, int at, int dir,
                   bool (*holds)(const struct ft_con *c, int i));
void ft_export(struct ft_con *c);
void ft_export_rows(struct ft_con *c, const char *how); /* "csv", "json flagged.jsonl" */
void ft_save_screen(struct ft_con *c);
void ft_state_load(struct ft_con *c);
void ft_state_save(struct ft_con *c);

/* The last group of an id: short, can be typed behind :tx, and tells the rows of one run apart (their first groups are
 * the same). */
#define FT_SHORT_ID 13
const char *ft_show_id(const struct ft_uuid *id, char out[FT_SHORT_ID]);
/* What may be shown of a person: "C. Young" while masked. */
void ft_show_customer(const struct ft_con *c, const char *name_1, const char *name_2, char *out,
                      size_t size);
/* A merchant without the prefix of the training data. */
const char *ft_show_merchant(const struct ft_con *c, const char *merchant);
/* A path in w columns: its end, which says which file it is. */
void ft_path_fit(char *out, size_t size, const char *path, int w, bool ascii);
/* A threshold: three decimals, more where these would say 0, 1 or a value that is 5 % off. */
#define FT_THRESHOLD_TEXT 16
const char *ft_show_threshold(double x, char out[FT_THRESHOLD_TEXT]);
void ft_show_clock(const struct ft_con *c, int64_t wall_ms, char *out, size_t size); /* local */
void ft_show_date(const struct ft_con *c, int64_t wall_ms, char *out, size_t size);
/* An age for a column: rounded to 10 s below a minute, to a minute above. */
void ft_show_waiting(int64_t ms, char *out, size_t size);

/* Members of an answer. */
double ft_js_number(const struct cJSON *o, const char *name);    /* NaN: none */
const char *ft_js_text(const struct cJSON *o, const char *name); /* "": none */
bool ft_js_true(const struct cJSON *o, const char *name);
int64_t ft_js_time(const struct cJSON *o, const char *name); /* ms since 1970; 0: none */
void ft_js_case(const struct cJSON *o, struct ft_flagged *out);

#endif
