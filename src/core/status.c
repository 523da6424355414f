#include "fraudtop/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum ft_status ft_fail(struct ft_err *err, enum ft_status st, const char *fmt, ...)
{
    va_list args;

    if (err) {
        va_start(args, fmt);
        vsnprintf(err->text, sizeof(err->text), fmt, args);
        va_end(args);
    }
    return st;
}

void ft_err_prefix(struct ft_err *err, const char *fmt, ...)
{
    char text[sizeof(err->text)], prefix[sizeof(err->text)];
    va_list args;

    if (!err)
        return;
    memcpy(text, err->text, sizeof(text));
    va_start(args, fmt);
    vsnprintf(prefix, sizeof(prefix), fmt, args);
    va_end(args);
    snprintf(err->text, sizeof(err->text), "%s: %s", prefix, text);
}

bool ft_status_retriable(enum ft_status st)
{
    return st == FT_AGAIN || st == FT_EUNREACHABLE;
}

int ft_status_exit(enum ft_status st)
{
    switch (st) {
    case FT_OK:
    case FT_END:
        return 0;
    case FT_EUSAGE:
        return 2;
    case FT_EUNREACHABLE:
        return 4;
    default:
        return 1;
    }
}

const char *ft_status_name(enum ft_status st)
{
    static const char *const names[] = {
        [FT_OK] = "ok",
        [FT_END] = "end",
        [FT_AGAIN] = "again",
        [FT_EINPUT] = "bad_input",
        [FT_EUSAGE] = "usage",
        [FT_ENOMEM] = "no_memory",
        [FT_EIO] = "system",
        [FT_EUNREACHABLE] = "unreachable",
        [FT_ECONFLICT] = "conflict",
        [FT_EFENCED] = "fenced",
        [FT_EFATAL] = "fatal",
        [FT_ESTOPPED] = "stopped",
    };
    return names[st];
}
