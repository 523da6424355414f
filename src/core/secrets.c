/* What must not be shown, and what must not stand on a command line. */
#include <ctype.h>
#include <string.h>

#include "fraudtop/config.h"

static bool contains(const char *text, const char *part)
{
    size_t n = strlen(part);

    for (; *text; text++) {
        size_t i = 0;

        while (i < n && text[i] && tolower((unsigned char)text[i]) == part[i])
            i++;
        if (i == n)
            return true;
    }
    return false;
}

bool ft_name_is_secret(const char *name)
{
    static const char *const parts[] = {"password", "passwd",  "secret",    "jaas",
                                        "token",    "key.pem", "passphrase"};

    /* names of places are no secrets */
    if (contains(name, ".location") || contains(name, "endpoint.url"))
        return false;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        if (contains(name, parts[i]))
            return true;
    return false;
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Whether text up to one of the letters in stop, %XX resolved, is word. */
static bool uri_word(const char *text, const char *word, const char *stop)
{
    for (;;) {
        char c = *text;

        if (!c || strchr(stop, c))
            return !*word;
        if (c == '%' && hex(text[1]) >= 0 && hex(text[2]) >= 0) {
            c = (char)(hex(text[1]) * 16 + hex(text[2]));
            text += 2;
        }
        if (c != *word++)
            return false;
        text++;
    }
}

static bool uri_has_password(const char *rest)
{
    size_t authority = strcspn(rest, "/");
    const char *at = memchr(rest, '@', authority), *query;

    /* libpq takes the user part up to the first @ and looks for : in it */
    if (at && memchr(rest, ':', (size_t)(at - rest)))
        return true;
    for (query = strchr(rest, '?'); query; query = strchr(query, '&')) {
        query++;
        if (uri_word(query, "password", "=&") || uri_word(query, "sslpassword", "=&"))
            return true;
    }
    return false;
}

bool ft_conninfo_has_password(const char *conninfo)
{
    static const char *const schemes[] = {"postgresql://", "postgres://"};
    const char *p = conninfo;

    for (size_t i = 0; i < 2; i++)
        if (strncmp(p, schemes[i], strlen(schemes[i])) == 0)
            return uri_has_password(p + strlen(schemes[i]));
    while (*p) { /* keyword = value, value may be quoted */
        size_t n;

        p += strspn(p, " \t\r\n\f\v");
        n = strcspn(p, "= \t\r\n\f\v");
        if ((n == 8 && memcmp(p, "password", 8) == 0) ||
            (n == 11 && memcmp(p, "sslpassword", 11) == 0))
            return true;
        p += n;
        p += strspn(p, " \t\r\n\f\v");
        if (*p != '=')
            continue;
        p++;
        p += strspn(p, " \t\r\n\f\v");
        if (*p == '\'') {
            for (p++; *p && *p != '\''; p++)
                if (*p == '\\' && p[1])
                    p++;
            if (*p)
                p++;
        } else {
            for (; *p && !strchr(" \t\r\n\f\v", *p); p++)
                if (*p == '\\' && p[1])
                    p++;
        }
    }
    return false;
}
