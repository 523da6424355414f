/*
 * Keys as numbers: a Unicode character, a control character, or one of the names below; and which action a key
 * means on a screen.
 */
#ifndef FT_KEYS_H
#define FT_KEYS_H

#include "fraudtop/ui.h"

enum {
    FT_KEY_TAB = 9,
    FT_KEY_ENTER = 13,
    FT_KEY_ESC = 27,
    FT_KEY_BACKSPACE = 127,
    FT_KEY_UP = 0x110000,
    FT_KEY_DOWN,
    FT_KEY_LEFT,
    FT_KEY_RIGHT,
    FT_KEY_HOME,
    FT_KEY_END,
    FT_KEY_PGUP,
    FT_KEY_PGDN,
    FT_KEY_DELETE,
    FT_KEY_BACKTAB,
    FT_KEY_F1,
    FT_KEY_F12 = FT_KEY_F1 + 11,
    FT_KEY_CLICK, /* mouse: see struct ft_key */
    FT_KEY_WHEEL_UP,
    FT_KEY_WHEEL_DOWN,
    FT_KEY_RESIZE,
    FT_KEY_PASTE_BEGIN, /* what follows was pasted, not typed */
    FT_KEY_PASTE_END
};

struct ft_key {
    uint32_t code; /* 0: none */
    int x, y;      /* of a click */
};

/* The rows of ft_actions, in order. */
enum ft_act {
    FT_ACT_HELP,
    FT_ACT_LIVE,
    FT_ACT_QUEUE,
    FT_ACT_THRESHOLD,
    FT_ACT_REPLAY,
    FT_ACT_HEALTH,
    FT_ACT_LOG,
    FT_ACT_NEXT_PANE,
    FT_ACT_PREV_PANE,
    FT_ACT_DOWN,
    FT_ACT_UP,
    FT_ACT_FIRST,
    FT_ACT_LAST,
    FT_ACT_PAGE_DOWN,
    FT_ACT_PAGE_UP,
    FT_ACT_HALF_DOWN,
    FT_ACT_HALF_UP,
    FT_ACT_LEFT,
    FT_ACT_RIGHT,
    FT_ACT_OPEN,
    FT_ACT_CLOSE,
    FT_ACT_BACK,
    FT_ACT_QUIT,
    FT_ACT_SEARCH,
    FT_ACT_SEARCH_NEXT,
    FT_ACT_SEARCH_PREV,
    FT_ACT_FILTER,
    FT_ACT_SORT,
    FT_ACT_REVERSE,
    FT_ACT_COLUMNS,
    FT_ACT_FREEZE,
    FT_ACT_REFRESH,
    FT_ACT_FASTER,
    FT_ACT_SLOWER,
    FT_ACT_COPY_ID,
    FT_ACT_COPY_ROW,
    FT_ACT_EXPORT,
    FT_ACT_SAVE_SCREEN,
    FT_ACT_MASK,
    FT_ACT_PALETTE,
    FT_ACT_OPTIONS,
    FT_ACT_SUSPEND,
    FT_ACT_REDRAW,
    FT_ACT_WINDOW,
    FT_ACT_MARK,
    FT_ACT_MARK_RANGE,
    FT_ACT_MARK_ALL,
    FT_ACT_UNMARK,
    FT_ACT_DECIDE,
    FT_ACT_UNDO,
    FT_ACT_CLAIM,
    FT_ACT_NEXT_FREE,
    FT_ACT_NOTE,
    FT_ACT_NEXT_TX,
    FT_ACT_PREV_TX,
    FT_ACT_WHAT_IF,
    FT_ACT_THR_DOWN,
    FT_ACT_THR_UP,
    FT_ACT_THR_DOWN_FAST,
    FT_ACT_THR_UP_FAST,
    FT_ACT_THR_TYPE,
    FT_ACT_SAMPLE,
    FT_ACT_APPLY,
    FT_ACT_PAUSE,
    FT_ACT_STOP,
    FT_ACT_RATE_DOWN,
    FT_ACT_RATE_UP,
    FT_ACT_REJECTS,
    /* without a key: only in the palette */
    FT_ACT_TX,
    FT_ACT_CUSTOMER,
    FT_ACT_SIMULATE,
    FT_ACT_SLOW,
    FT_ACT_THEME,
    FT_ACT_SCENE,
    FT_ACT_HANDOVER,
    FT_ACT_TOPICS,
    FT_ACT_ADDRESSES,
    FT_ACT_FIND,
    FT_N_ACTS
};

/* The key by its name ("d", "Space", "Ctrl-D", "F1", "PgUp"), 0 when there is none. */
uint32_t ft_key_parse(struct ft_span name);
/* The name of a key, as help shows it. */
const char *ft_key_name(uint32_t code, char *out, size_t size);

#define FT_KEYS_MAX 4 /* keys an action can have */

/* Which keys mean what: the table, changed by the user's settings. */
struct ft_keymap {
    uint32_t key[FT_N_ACTS][FT_KEYS_MAX];
};
/* changes: "case.decide=D queue=2 ...", NULL: none.  FT_EUSAGE names what is wrong: an unknown action or key, or two
 * actions of one screen on one key. */
enum ft_status ft_keymap_init(struct ft_keymap *m, const char *changes, struct ft_err *err);
/* The action of a key on a screen (its letter, see ft_actions), or FT_N_ACTS. */
enum ft_act ft_keymap_find(const struct ft_keymap *m, uint32_t code, char where);
/* An action that this key has on another screen, or FT_N_ACTS. */
enum ft_act ft_keymap_elsewhere(const struct ft_keymap *m, uint32_t code);
/* "d" or "Enter": the first key of an action; "" when it has none. */
const char *ft_keymap_name(const struct ft_keymap *m, enum ft_act act, char *out, size_t size);
bool ft_action_applies(enum ft_act act, char where);

#endif
