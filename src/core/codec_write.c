#include "fraudtop/codec.h"

#include <string.h>

#include "codec_member.h"

const struct ft_span ft_codec_member[FT_N_COLS] = {
    {",\"transaction_time\":", 20},
    {",\"merch\":",            9 },
    {",\"cat_id\":",           10},
    {",\"amount\":",           10},
    {",\"name_1\":",           10},
    {",\"name_2\":",           10},
    {",\"gender\":",           10},
    {",\"street\":",           10},
    {",\"one_city\":",         12},
    {",\"us_state\":",         12},
    {",\"post_code\":",        13},
    {",\"lat\":",              7 },
    {",\"lon\":",              7 },
    {",\"population_city\":",  19},
    {",\"jobs\":",             8 },
    {",\"merchant_lat\":",     16},
    {",\"merchant_lon\":",     16},
};

/* Eight bytes that a JSON string may hold as they are: printable ASCII without quote and backslash. */
static bool is_plain(uint64_t w)
{
    const uint64_t ones = 0x0101010101010101u, tops = 0x8080808080808080u;
    uint64_t quote = w ^ ones * '"', backslash = w ^ ones * '\\', del = w ^ ones * 0x7F;

    return (((w - ones * 0x20) | (quote - ones) | (backslash - ones) | (del - ones) | w) & tops) ==
           0;
}

/* Copies n bytes to `to` as long as they are plain; false: one is not (what was copied is of no use). */
static bool copy_plain(char *to, const char *from, size_t n)
{
    const uint64_t blanks = 0x2020202020202020u;
    uint64_t w;
    size_t i = 0;

    for (; i + 8 <= n; i += 8) {
        memcpy(&w, from + i, 8);
        memcpy(to + i, &w, 8);
        if (!is_plain(w))
            return false;
    }
    if (i == n)
        return true;
    if (n >= 8) { /* the last eight, some of them a second time */
        memcpy(&w, from + n - 8, 8);
        memcpy(to + n - 8, &w, 8);
    } else {
        w = blanks;
        for (; i < n; i++) {
            to[i] = from[i];
            w = w << 8 | (unsigned char)from[i];
        }
    }
    return is_plain(w);
}

static void put_text(struct ft_buf *out, struct ft_span text)
{
    if (!ft_buf_reserve(out, text.n + 2))
        return;
    if (!copy_plain(out->p + out->n + 1, text.p, text.n)) {
        ft_buf_json(out, text);
        return;
    }
    out->p[out->n] = '"';
    out->n += text.n + 2;
    out->p[out->n - 1] = '"';
    out->p[out->n] = '\0';
}

static void put_cell(struct ft_buf *out, const struct ft_cell *cell)
{
    switch (cell->kind) {
    case FT_CELL_TEXT:
        put_text(out, (struct ft_span){cell->p, cell->n});
        break;
    case FT_CELL_NUMBER:
    case FT_CELL_NESTED:
    case FT_CELL_TRUE:
    case FT_CELL_FALSE:
        ft_buf_add(out, cell->p, cell->n);
        break;
    default:
        ft_buf_add(out, "null", 4);
    }
}

bool ft_codec_write_data(struct ft_buf *out, const struct ft_txn *t)
{
    bool first = true;

    ft_buf_char(out, '{');
    for (int c = 0; c < FT_N_COLS; c++) {
        if (t->col[c].kind == FT_CELL_ABSENT)
            continue;
        ft_buf_add(out, ft_codec_member[c].p + first, ft_codec_member[c].n - first);
        put_cell(out, &t->col[c]);
        first = false;
    }
    for (size_t i = 0; i < t->n_extra; i++) {
        if (!first)
            ft_buf_char(out, ',');
        put_text(out, t->extra[i].name);
        ft_buf_char(out, ':');
        put_cell(out, &t->extra[i].cell);
        first = false;
    }
    ft_buf_char(out, '}');
    return !out->failed;
}

bool ft_codec_write_txn(struct ft_buf *out, const struct ft_txn *t)
{
    char head[] = "{\"transaction_id\":\"00000000-0000-0000-0000-000000000000\",\"data\":";

    ft_uuid_format(&t->id, head + 19);
    head[19 + FT_UUID_TEXT] = '"'; /* where the final zero came */
    ft_buf_add(out, head, sizeof(head) - 1);
    ft_codec_write_data(out, t);
    if (t->label != FT_LABEL_UNKNOWN)
        ft_buf_add(out, t->label ? ",\"label\":1" : ",\"label\":0", 10);
    ft_buf_char(out, '}');
    return !out->failed;
}

static void put_json(struct ft_buf *out, const char *name, struct ft_span json)
{
    if (json.n == 0)
        return;
    ft_buf_text(out, name);
    ft_buf_add(out, json.p, json.n);
}

bool ft_codec_write_verdict(struct ft_buf *out, const struct ft_verdict *v)
{
    char id[FT_UUID_TEXT + 1];

    ft_uuid_format(&v->id, id);
    ft_buf_text(out, "[{\"score\":");
    ft_buf_double(out, v->score);
    ft_buf_text(out, v->flag ? ",\"fraud_flag\":1" : ",\"fraud_flag\":0");
    ft_buf_text(out, ",\"transaction_id\":\"");
    ft_buf_add(out, id, FT_UUID_TEXT);
    ft_buf_char(out, '"');
    if (v->model.n) {
        ft_buf_text(out, ",\"model\":");
        put_text(out, v->model);
    }
    if (v->amount.n) {
        ft_buf_text(out, ",\"amount\":");
        if (ft_is_json_number(v->amount))
            ft_buf_add(out, v->amount.p, v->amount.n);
        else
            put_text(out, v->amount);
    }
    if (v->label != FT_LABEL_UNKNOWN)
        ft_buf_text(out, v->label ? ",\"label\":1" : ",\"label\":0");
    put_json(out, ",\"challenger\":", v->challenger_json);
    if (v->has_threshold) {
        ft_buf_text(out, ",\"threshold\":");
        ft_buf_double(out, v->threshold);
    }
    put_json(out, ",\"reasons\":", v->reasons_json);
    put_json(out, ",\"data\":", v->data_json);
    put_json(out, ",\"history\":", v->history_json);
    put_json(out, ",\"usual\":", v->usual_json);
    put_json(out, ",\"features\":", v->features_json);
    if (v->sampled)
        ft_buf_text(out, ",\"sampled\":true");
    ft_buf_text(out, "}]");
    return !out->failed;
}
