/*
 * Which rows of a run lie among the dead letters, whoever put them there: reads the dead-letter topics from the start of
 * the run on.
 */
#ifndef FT_DEAD_H
#define FT_DEAD_H

#include "fraudtop/pipeline.h"

struct ft_dead;

enum ft_status ft_dead_new(struct ft_dead **out, const struct ft_pipe *pipe,
                           const struct ft_run *run, int64_t since_ms, struct ft_err *err);
void ft_dead_free(struct ft_dead *d);
/* Reads what is there, for up to timeout_ms. */
void ft_dead_read(struct ft_dead *d, int timeout_ms);
/* Rows of the run found so far, each counted once; by: who rejected them. */
uint64_t ft_dead_by_scorer(const struct ft_dead *d);
uint64_t ft_dead_by_sink(const struct ft_dead *d);

#endif
