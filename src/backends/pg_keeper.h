/*
 * The keeper of a private server: a process of its own between the program and postgres.  Every program that uses the
 * server holds a shared lock on a file; when the last one is gone, however it went, the keeper gets the exclusive lock
 * and stops the server.  When the keeper is killed, the kernel stops the server (PR_SET_PDEATHSIG).  When the server dies
 * of itself, the keeper starts it again.
 */
#ifndef FT_PG_KEEPER_H
#define FT_PG_KEEPER_H

#include "pg_programs.h"

struct ft_pg_keeper {
    const struct ft_pg_user *user;
    const char *log, *users_lock, *keeper_lock;
    const char *const *argv; /* of postgres */
    pid_t adopt;             /* > 0: this server runs already, without a keeper */
};

/* Forks the keeper; its pid, or -1.  Call from the main thread. */
pid_t ft_pg_keeper_start(const struct ft_pg_keeper *k);

#endif
