/* fraudtop model promote NAME and model rollback: which model the running scorers use. */
#ifndef FT_MODEL_FORCE_H
#define FT_MODEL_FORCE_H

#include "app.h"

/*
 * Puts the model into force through the control topic, once it was loaded and checked here, and waits some seconds for
 * the scorers' heartbeats to name it.  FT_EIO: it is in force, but some scorer goes on with another (its log says why).
 */
enum ft_status ft_model_promote(struct ft_app *app, struct ft_err *err);
/* The same with the model that was in force before, as the database remembers; none before: each scorer's own. */
enum ft_status ft_model_rollback(struct ft_app *app, struct ft_err *err);

#endif
