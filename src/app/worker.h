/* `score` and `sink`: a stage that runs until it is told to stop (src/app only). */
#ifndef FT_WORKER_H
#define FT_WORKER_H

#include "services.h"

int ft_worker(struct ft_app *app, const char *role, int parts);

#endif
