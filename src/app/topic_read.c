#include "topic_read.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fraudtop/log.h"

#define POLL_MS 200
#define EARLIER_MS 600000 /* a transaction may be due that long before its run began */

void ft_topic_read_fini(struct ft_topic_read *r)
{
    ft_consumer_close(r->reader, 2000);
    free(r->part);
    free(r->end);
    r->reader = NULL;
    r->part = NULL;
    r->end = NULL;
    r->n_parts = 0;
}

enum ft_status ft_topic_read_add(struct ft_topic_read *r, const char *topic, int64_t partition,
                                 struct ft_err *err)
{
    size_t n, before = r->n_parts;
    struct ft_partition_info *info;
    struct ft_assigned *part;
    int64_t *end;
    enum ft_status st = ft_bus_partitions(r->bus, topic, NULL, r->timeout_ms, &info, &n, err);

    if (st != FT_OK)
        return st;
    part = realloc(r->part, (r->n_parts + n + 1) * sizeof(*part));
    r->part = part ? part : r->part;
    end = realloc(r->end, (r->n_parts + n + 1) * sizeof(*end));
    r->end = end ? end : r->end;
    if (!part || !end) {
        free(info);
        return ft_fail(err, FT_ENOMEM, "no memory for %zu partitions", n);
    }
    for (size_t i = 0; i < n; i++) {
        if (partition >= 0 && info[i].partition != partition)
            continue;
        r->part[r->n_parts] = (struct ft_assigned){topic, info[i].partition, info[i].low, false};
        r->end[r->n_parts++] = info[i].high;
    }
    free(info);
    if (partition >= 0 && r->n_parts == before)
        return ft_fail(err, FT_EUSAGE, "topic %s has no partition %" PRId64, topic, partition);
    return FT_OK;
}

enum ft_status ft_topic_read_at(struct ft_topic_read *r, int64_t ms, struct ft_err *err)
{
    enum ft_status st = FT_OK;

    for (size_t i = 0; i < r->n_parts && st == FT_OK; i++)
        st = ft_bus_offset_at(r->bus, r->part[i].topic, r->part[i].partition, ms, r->timeout_ms,
                              &r->part[i].start, err);
    return st;
}

void ft_topic_read_from(struct ft_topic_read *r, int64_t offset)
{
    for (size_t i = 0; i < r->n_parts; i++) {
        int64_t at = offset < 0 ? r->end[i] + offset : offset;

        if (at > r->part[i].start)
            r->part[i].start = at < r->end[i] ? at : r->end[i];
    }
}

static enum ft_status begin(struct ft_topic_read *r, struct ft_err *err)
{
    struct ft_consumer_opts o = {.eof_events = true, .queued_kbytes = r->queued_kbytes};
    enum ft_status st = ft_consumer_new(&r->reader, r->bus, &o, err);

    r->heard_ms = ft_now_ms();
    return st == FT_OK ? ft_consumer_assign(r->reader, r->part, r->n_parts, err) : st;
}

static bool all_read(const struct ft_topic_read *r)
{
    for (size_t i = 0; i < r->n_parts; i++)
        if (r->part[i].start < r->end[i])
            return false;
    return true;
}

/* Its partition has been read up to behind it, or to its end. */
static void seen(struct ft_topic_read *r, const struct ft_msg *m, bool at_end)
{
    r->heard_ms = ft_now_ms();
    for (size_t i = 0; i < r->n_parts; i++)
        if (r->part[i].partition == m->partition && strcmp(r->part[i].topic, m->topic) == 0)
            r->part[i].start = at_end ? r->end[i] : m->offset + 1;
}

enum ft_status ft_topic_read_next(struct ft_topic_read *r, struct ft_msg *m, struct ft_err *err)
{
    enum ft_status st;

    if (all_read(r) && !r->follow)
        return FT_END;
    if (!r->reader && (st = begin(r, err)) != FT_OK)
        return st;
    st = ft_consumer_poll(r->reader, POLL_MS, m, err);
    if (st == FT_OK || st == FT_END) {
        seen(r, m, st == FT_END);
        return st == FT_OK ? FT_OK : all_read(r) && !r->follow ? FT_END : FT_AGAIN;
    }
    if (st != FT_AGAIN && st != FT_EUNREACHABLE && st != FT_EINPUT)
        return st;
    if (!r->follow && r->timeout_ms >= 0 && ft_now_ms() > r->heard_ms + r->timeout_ms)
        return st == FT_EUNREACHABLE
                   ? st
                   : ft_fail(err, FT_EUNREACHABLE, "the messages did not come in time");
    return FT_AGAIN;
}

/* ---- ids ------------------------------------------------------------------------------------------- */

void ft_needle_init(struct ft_needle *d, const struct ft_uuid *id)
{
    size_t k = 0;

    memset(d, 0, sizeof(*d));
    ft_uuid_format(id, d->text[0]);
    for (size_t i = 0; d->text[0][i]; i++) {
        char c = d->text[0][i];

        d->text[2][i] = c >= 'a' && c <= 'f' ? (char)(c - 32) : c;
        if (c != '-')
            d->text[1][k++] = c;
    }
    for (int i = 0; i < 3; i++)
        d->n[i] = strlen(d->text[i]);
}

static bool has(struct ft_span text, const char *needle, size_t n)
{
    const char *p = text.p, *end = text.p + text.n;

    while (text.n >= n && p && (size_t)(end - p) >= n) {
        p = memchr(p, needle[0], (size_t)(end - p) - n + 1);
        if (!p)
            return false;
        if (memcmp(p, needle, n) == 0)
            return true;
        p++;
    }
    return false;
}

bool ft_needle_in(const struct ft_needle *d, struct ft_span text)
{
    for (int i = 0; i < 3; i++)
        if (has(text, d->text[i], d->n[i]))
            return true;
    return false;
}

bool ft_sent_after(const struct ft_uuid *id, int64_t *ms)
{
    struct ft_run run;
    uint64_t row;
    uint64_t t = 0;

    for (int i = 0; i < 6; i++)
        t = t << 8 | id->b[i];
    if (!ft_uuid_to_row(id, &run, &row) && id->b[6] >> 4 != 7)
        return false;
    *ms = (int64_t)t - EARLIER_MS;
    return t > EARLIER_MS && *ms < ft_wall_ms();
}
