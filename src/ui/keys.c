#include "keys.h"

#include <stdio.h>
#include <string.h>

#include "fraudtop/text.h"

static const struct {
    const char *name;
    uint32_t code;
} names[] = {
    {"Space",     ' '             },
    {"Tab",       FT_KEY_TAB      },
    {"S-Tab",     FT_KEY_BACKTAB  },
    {"Enter",     FT_KEY_ENTER    },
    {"Esc",       FT_KEY_ESC      },
    {"Backspace", FT_KEY_BACKSPACE},
    {"Up",        FT_KEY_UP       },
    {"Down",      FT_KEY_DOWN     },
    {"Left",      FT_KEY_LEFT     },
    {"Right",     FT_KEY_RIGHT    },
    {"Home",      FT_KEY_HOME     },
    {"End",       FT_KEY_END      },
    {"PgUp",      FT_KEY_PGUP     },
    {"PgDn",      FT_KEY_PGDN     },
    {"Delete",    FT_KEY_DELETE   },
};
#define N_NAMES (sizeof(names) / sizeof(*names))

uint32_t ft_key_parse(struct ft_span name)
{
    size_t n;
    uint32_t c;

    for (size_t i = 0; i < N_NAMES; i++)
        if (ft_span_is(name, names[i].name))
            return names[i].code;
    if (name.n == 6 && memcmp(name.p, "Ctrl-", 5) == 0 && name.p[5] >= 'A' && name.p[5] <= 'Z')
        return (uint32_t)(name.p[5] - '@');
    if (name.n >= 2 && name.n <= 3 && name.p[0] == 'F' && name.p[1] >= '1' && name.p[1] <= '9') {
        c = (uint32_t)(name.p[1] - '0');
        if (name.n == 3)
            c = c * 10 + (uint32_t)(name.p[2] - '0');
        return c <= 12 ? FT_KEY_F1 + c - 1 : 0;
    }
    if (name.n == 0)
        return 0;
    c = ft_char_next(name, &n);
    return n == name.n && c > ' ' && ft_char_width(c) > 0 ? c : 0;
}

const char *ft_key_name(uint32_t code, char *out, size_t size)
{
    char utf8[8] = "";

    for (size_t i = 0; i < N_NAMES; i++)
        if (names[i].code == code)
            return names[i].name;
    if (code >= FT_KEY_F1 && code <= FT_KEY_F12)
        snprintf(out, size, "F%u", code - FT_KEY_F1 + 1);
    else if (code < ' ')
        snprintf(out, size, "Ctrl-%c", (char)(code + '@'));
    else if (code < 0x110000 && ft_char_width(code) > 0) {
        utf8[ft_char_put(utf8, code)] = '\0';
        snprintf(out, size, "%s", utf8);
    } else
        snprintf(out, size, "?");
    return out;
}

bool ft_action_applies(enum ft_act act, char where)
{
    const char *w = ft_actions[act].where;

    return *w == '*' || strchr(w, where) != NULL;
}

/* Two actions can meet on a screen. */
static bool overlap(enum ft_act a, enum ft_act b)
{
    static const char screens[] = "LQCTRHG";

    for (const char *s = screens; *s; s++)
        if (ft_action_applies(a, *s) && ft_action_applies(b, *s))
            return true;
    return false;
}

static struct ft_span next_word(const char **p, const char *stop)
{
    struct ft_span word;

    *p += strspn(*p, stop);
    word = (struct ft_span){*p, strcspn(*p, stop)};
    *p += word.n;
    return word;
}

static enum ft_status set_keys(struct ft_keymap *m, enum ft_act act, struct ft_span keys,
                               struct ft_err *err)
{
    memset(m->key[act], 0, sizeof(m->key[act]));
    for (size_t i = 0, n = 0, from = 0; i <= keys.n; i++) {
        /* commas part the keys; a lone comma is a key */
        if (i < keys.n && (keys.p[i] != ',' || keys.n == 1))
            continue;
        if (n == FT_KEYS_MAX)
            return ft_fail(err, FT_EUSAGE, "keys: %s: at most %d keys", ft_actions[act].name,
                           FT_KEYS_MAX);
        m->key[act][n] = ft_key_parse((struct ft_span){keys.p + from, i - from});
        if (!m->key[act][n])
            return ft_fail(
                err, FT_EUSAGE,
                "keys: %s: no key is called \"%.*s\" (d, Space, Enter, Ctrl-D, F5, PgUp ...)",
                ft_actions[act].name, (int)(i - from), keys.p + from);
        n++;
        from = i + 1;
    }
    return FT_OK;
}

static enum ft_status apply(struct ft_keymap *m, const char *changes, struct ft_err *err)
{
    while (changes) {
        struct ft_span word = next_word(&changes, " \t;\n");
        const char *eq;
        enum ft_act act = 0;

        if (!word.n)
            break;
        eq = memchr(word.p, '=', word.n);
        if (!eq || eq == word.p)
            return ft_fail(err, FT_EUSAGE, "keys: \"%.*s\": write action=key, as in case.decide=d",
                           (int)word.n, word.p);
        while (act < FT_N_ACTS &&
               !ft_span_is((struct ft_span){word.p, (size_t)(eq - word.p)}, ft_actions[act].name))
            act++;
        if (act == FT_N_ACTS)
            return ft_fail(err, FT_EUSAGE, "keys: no action is called \"%.*s\" (? lists them)",
                           (int)(eq - word.p), word.p);
        if (set_keys(m, act, (struct ft_span){eq + 1, word.n - (size_t)(eq + 1 - word.p)}, err) !=
            FT_OK)
            return FT_EUSAGE;
    }
    return FT_OK;
}

static enum ft_status check(const struct ft_keymap *m, struct ft_err *err)
{
    char name[16];

    for (enum ft_act a = 0; a < FT_N_ACTS; a++)
        for (enum ft_act b = a + 1; b < FT_N_ACTS; b++)
            for (int i = 0; i < FT_KEYS_MAX && m->key[a][i]; i++)
                for (int j = 0; j < FT_KEYS_MAX && m->key[b][j]; j++)
                    if (m->key[a][i] == m->key[b][j] && overlap(a, b))
                        return ft_fail(err, FT_EUSAGE, "keys: %s means both %s and %s",
                                       ft_key_name(m->key[a][i], name, sizeof(name)),
                                       ft_actions[a].name, ft_actions[b].name);
    return FT_OK;
}

enum ft_status ft_keymap_init(struct ft_keymap *m, const char *changes, struct ft_err *err)
{
    memset(m, 0, sizeof(*m));
    for (enum ft_act a = 0; a < FT_N_ACTS; a++) {
        const char *p = ft_actions[a].keys;

        for (int i = 0; i < FT_KEYS_MAX && *p; i++)
            m->key[a][i] = ft_key_parse(next_word(&p, " "));
    }
    if (apply(m, changes, err) != FT_OK)
        return FT_EUSAGE;
    return check(m, err);
}

enum ft_act ft_keymap_find(const struct ft_keymap *m, uint32_t code, char where)
{
    for (enum ft_act a = 0; a < FT_N_ACTS; a++)
        for (int i = 0; i < FT_KEYS_MAX && m->key[a][i]; i++)
            if (m->key[a][i] == code && ft_action_applies(a, where))
                return a;
    return FT_N_ACTS;
}

enum ft_act ft_keymap_elsewhere(const struct ft_keymap *m, uint32_t code)
{
    for (enum ft_act a = 0; a < FT_N_ACTS; a++)
        for (int i = 0; i < FT_KEYS_MAX && m->key[a][i]; i++)
            if (m->key[a][i] == code)
                return a;
    return FT_N_ACTS;
}

const char *ft_keymap_name(const struct ft_keymap *m, enum ft_act act, char *out, size_t size)
{
    out[0] = '\0';
    return m->key[act][0] ? ft_key_name(m->key[act][0], out, size) : out;
}
