/* fraudtop handover --since 8h: what the next shift has to know. */
#include <stdlib.h>

#include "review.h"

int ft_cmd_handover(struct ft_app *app)
{
    const char *since = ft_cfg_text(app->cfg, "list.since");
    struct ft_review r;
    struct ft_err err = {""};
    char *json = NULL, *text = NULL;
    int64_t from;
    enum ft_status st;

    if (app->n_args)
        return ft_app_usage(app, "handover takes no words; --since 8h says from when on");
    st = ft_review_time(since ? since : "8h", false, &from, &err);
    if (st != FT_OK)
        return ft_app_fail(app, st, &err);
    st = ft_review_open(&r, app, &err);
    if (st == FT_OK)
        st = ft_cases_handover(r.cases, from, &json, &err);
    if (st == FT_OK && app->json)
        ft_print_json(stdout, json);
    else if (st == FT_OK &&
             (text = ft_handover_text(
                  json, ft_cfg_text(app->cfg, "display.merchant_strip_prefix"))) != NULL)
        fputs(text, stdout);
    free(text);
    free(json);
    ft_review_close(&r);
    return st == FT_OK ? 0 : ft_app_fail(app, st, &err);
}
