/*
 * Waiting for another thread until a time of ft_now_ms, which nobody sets back as the wall clock may be.
 */
#ifndef FRAUDTOP_WAIT_H
#define FRAUDTOP_WAIT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* For ft_cond_wait; ended with pthread_cond_destroy. */
void ft_cond_init(pthread_cond_t *cond);
/* As pthread_cond_wait (it may return for no reason); false: the time is over. */
bool ft_cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t deadline_ms);

#endif
