/* The installed PostgreSQL server programs, and running them. */
#ifndef FT_PG_PROGRAMS_H
#define FT_PG_PROGRAMS_H

#include <stddef.h>
#include <sys/types.h>

#include "fraudtop/status.h"

#define FT_PG_PATH 512

struct ft_pg_programs {
    char bin[FT_PG_PATH]; /* folder with postgres and initdb */
    int major;
};

/* The newest installed (major 0), or those of one major version; PATH, pg_config --bindir and the usual folders are
 * looked at.  FT_END: none. */
enum ft_status ft_pg_programs_find(struct ft_pg_programs *out, int major);

/* Who the server runs as: ourselves, or user postgres when we are root. */
struct ft_pg_user {
    uid_t uid;
    gid_t gid;
    char name[64];
    gid_t group[32];
    int n_group;
    bool drop; /* we are root: change to it before exec */
};
enum ft_status ft_pg_user(struct ft_pg_user *out, struct ft_err *err);

/* In a forked child: becomes that user with default signals, descriptors other than 0 to 2 closed, output into log (may be
 * NULL: /dev/null), working folder "/".  Async-signal-safe.  false: failed. */
bool ft_pg_child_setup(const struct ft_pg_user *user, const char *log);

/* Runs a program as user, its output appended to log, and waits.  Its exit status, or -1. */
int ft_pg_run(const struct ft_pg_user *user, const char *log, const char *const argv[]);

#endif
