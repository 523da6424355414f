#include "case_export.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <string.h>

#include "fraudtop/text.h"
#include "fraudtop/txn.h"
#include "review.h"

static const char *const export_columns[] = {
    "transaction_id", "score",      "threshold",  "model",       "amount",  "event",
    "arrived",        "merchant",   "category",   "name_1",      "name_2",  "street",
    "city",           "state",      "gender",     "distance_km", "why",     "status",
    "claimed_by",     "decided_at", "decided_by", "label",       "sampled", "number"};
#define N_EXPORT (sizeof(export_columns) / sizeof(export_columns[0]))

static bool is_formula(const char *text)
{
    double v;

    return *text && strchr("=+-@\t\r", *text) && !ft_parse_double(ft_span_of(text), &v);
}

static void csv_cell(struct ft_case_export *e, const char *text, bool first)
{
    bool quote = strpbrk(text, ",\"\r\n") != NULL;

    fprintf(e->out, "%s%s%s", first ? "" : ",", quote ? "\"" : "",
            e->spreadsheet && is_formula(text) ? "'" : "");
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', e->out);
        fputc(*text, e->out);
    }
    if (quote)
        fputc('"', e->out);
}

void ft_case_export_head(struct ft_case_export *e)
{
    for (size_t i = 0; e->csv && i < N_EXPORT; i++)
        fprintf(e->out, "%s%s", export_columns[i], i + 1 < N_EXPORT ? "," : "\n");
}

static enum ft_status csv_row(struct ft_case_export *e, const char *json, struct ft_err *err)
{
    cJSON *o = cJSON_Parse(json);

    if (!o)
        return ft_fail(err, FT_ENOMEM, "no memory for a row");
    for (size_t i = 0; i < N_EXPORT; i++) {
        const cJSON *m = cJSON_GetObjectItemCaseSensitive(o, export_columns[i]);
        char number[32] = "";

        if (cJSON_IsNumber(m))
            ft_fmt_double(number, sizeof(number), m->valuedouble);
        else if (cJSON_IsBool(m))
            snprintf(number, sizeof(number), "%d", cJSON_IsTrue(m));
        csv_cell(e, cJSON_IsString(m) ? m->valuestring : number, i == 0);
    }
    fputs("\n", e->out);
    cJSON_Delete(o);
    return FT_OK;
}

enum ft_status ft_case_export_row(void *user, const char *json, struct ft_err *err)
{
    struct ft_case_export *e = user;
    enum ft_status st = FT_OK;

    if (e->csv)
        st = csv_row(e, json, err);
    else
        ft_print_json(e->out, json);
    e->rows++;
    if (ft_stop_signal())
        return FT_ESTOPPED;
    if (st == FT_OK && ferror(e->out) && errno == EPIPE) /* whoever reads has seen enough */
        return FT_ESTOPPED;
    if (st == FT_OK && ferror(e->out))
        st = ft_fail(err, FT_EIO, "export: %s", strerror(errno));
    return st;
}
