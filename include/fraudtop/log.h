/*
 * Log lines of the program, and the clock.  Lines go to standard error or, while the console is up, to a file and to a
 * ring that the Log screen shows.  Control characters in a line are escaped; secrets are never given to it.
 * Any thread may call ft_log; it takes a short lock and never waits for a terminal or a service.
 */
#ifndef FRAUDTOP_LOG_H
#define FRAUDTOP_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "fraudtop/status.h"

enum ft_level { FT_ERROR, FT_WARN, FT_INFO, FT_DEBUG };

/* part: "kafka", "pg", "replay", "score", "sink", "console", "model". */
void ft_log(enum ft_level level, const char *part, const char *fmt, ...) FT_PRINTF(3, 4);
void ft_log_level(enum ft_level most);
/* Where lines go: to standard error (the default), or appended to a file (size-limited, mode 0600) and not to
 * standard error. */
enum ft_status ft_log_to_file(const char *path, struct ft_err *err);
void ft_log_to_stderr(void);
/* The newest lines, oldest first; returns how many were copied.  seq counts lines since the start. */
struct ft_log_line {
    uint64_t seq;
    int64_t wall_ms;
    enum ft_level level;
    char part[12];
    char text[240];
};
size_t ft_log_recent(struct ft_log_line *out, size_t max);

/* The clock: monotonic for intervals, wall for what people and other machines see. */
int64_t ft_now_ns(void);  /* monotonic */
int64_t ft_now_ms(void);  /* monotonic */
int64_t ft_wall_ms(void); /* since 1970 UTC */
/* By how many ms the wall clock was set since the last call, 0: not by more than a second.  *offset_ms, 0 before the first call,
 * keeps how far it is from the monotonic one. */
int64_t ft_wall_step(int64_t *offset_ms);
void ft_sleep_ms(int ms);
/* n random bytes from the system. */
void ft_random(void *out, size_t n);

#endif
