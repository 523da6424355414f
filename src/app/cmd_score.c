/* fraudtop score: Kafka to Kafka, as a member of a consumer group; with files it scores offline. */
#include "worker.h"

int ft_cmd_score(struct ft_app *app)
{
    return app->n_args ? ft_score_files(app) : ft_worker(app, "score", FT_WITH_SCORE);
}
