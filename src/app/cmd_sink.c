/* fraudtop sink: Kafka to PostgreSQL. */
#include "worker.h"

int ft_cmd_sink(struct ft_app *app)
{
    if (app->n_args)
        return ft_app_usage(app, "sink takes no words: \"%s\"", app->args[0]);
    return ft_worker(app, "sink", FT_WITH_SINK);
}
