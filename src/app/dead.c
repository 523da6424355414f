#include "dead.h"

#include <stdlib.h>
#include <string.h>

#include "fraudtop/log.h"

#define MAX_ROWS                                                                                   \
    (1ull << 32) /* of the bitmap: 512 MiB, reached by dead letters of such rows only */

struct ft_dead {
    const struct ft_pipe *pipe;
    struct ft_run run;
    struct ft_consumer *in;
    uint8_t *seen; /* a bit a row */
    uint64_t bytes;
    uint64_t by_scorer, by_sink;
};

static void note(struct ft_dead *d, uint64_t row, bool scorer)
{
    uint64_t at = row / 8;

    if (row >= MAX_ROWS)
        return;
    if (at >= d->bytes) {
        uint64_t want = d->bytes ? d->bytes : 4096;
        uint8_t *more;

        while (want <= at)
            want *= 2;
        more = realloc(d->seen, want);
        if (!more)
            return;
        memset(more + d->bytes, 0, want - d->bytes);
        d->seen = more;
        d->bytes = want;
    }
    if (d->seen[at] >> (row % 8) & 1)
        return;
    d->seen[at] |= (uint8_t)(1u << (row % 8));
    if (scorer)
        d->by_scorer++;
    else
        d->by_sink++;
}

static bool hex_or_dash(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == '-';
}

/* A dead letter may be anything, so ids are sought as text, not by reading JSON. */
static void scan(struct ft_dead *d, struct ft_span text, bool scorer)
{
    for (size_t i = 0; i < text.n;) {
        struct ft_uuid id;
        struct ft_run run;
        uint64_t row;
        size_t from = i;

        while (i < text.n && hex_or_dash(text.p[i]))
            i++;
        if (i - from >= 32 && ft_uuid_parse(&id, (struct ft_span){text.p + from, i - from}) &&
            ft_uuid_to_row(&id, &run, &row) && run.start_ms == d->run.start_ms &&
            run.hash == d->run.hash)
            note(d, row, scorer);
        if (i == from)
            i++;
    }
}

static size_t parts_of(const struct ft_pipe *pipe, const char *topic, int64_t since_ms,
                       struct ft_assigned *part, size_t max)
{
    struct ft_partition_info *info = NULL;
    size_t n = 0, kept = 0;

    if (ft_bus_partitions(pipe->bus, topic, NULL, 2000, &info, &n, NULL) != FT_OK)
        return 0;
    for (size_t i = 0; i < n && kept < max; i++) {
        int64_t at = FT_START_EARLIEST;

        if (ft_bus_offset_at(pipe->bus, topic, info[i].partition, since_ms, 2000, &at, NULL) !=
            FT_OK)
            at = FT_START_EARLIEST;
        part[kept++] = (struct ft_assigned){topic, info[i].partition, at, false};
    }
    free(info);
    return kept;
}

enum ft_status ft_dead_new(struct ft_dead **out, const struct ft_pipe *pipe,
                           const struct ft_run *run, int64_t since_ms, struct ft_err *err)
{
    const struct ft_consumer_opts co = {.queued_kbytes = 4096};
    struct ft_assigned part[512];
    struct ft_dead *d = calloc(1, sizeof(*d));
    size_t n;
    enum ft_status st;

    *out = NULL;
    if (!d)
        return ft_fail(err, FT_ENOMEM, "no memory to read dead letters");
    d->pipe = pipe;
    d->run = *run;
    n = parts_of(pipe, pipe->topics.transactions_dlq, since_ms, part, 256);
    n += parts_of(pipe, pipe->topics.scoring_dlq, since_ms, part + n, 256);
    st = ft_consumer_new(&d->in, pipe->bus, &co, err);
    if (st == FT_OK && n)
        st = ft_consumer_assign(d->in, part, n, err);
    if (st == FT_OK && !n)
        st = ft_fail(err, FT_AGAIN, "the dead-letter topics cannot be seen");
    if (st != FT_OK) {
        ft_dead_free(d);
        return st;
    }
    *out = d;
    return FT_OK;
}

void ft_dead_free(struct ft_dead *d)
{
    if (!d)
        return;
    if (d->in)
        ft_consumer_close(d->in, 500);
    free(d->seen);
    free(d);
}

void ft_dead_read(struct ft_dead *d, int timeout_ms)
{
    int64_t until = ft_now_ms() + timeout_ms;
    struct ft_msg m;

    for (int64_t left = timeout_ms; left >= 0; left = until - ft_now_ms()) {
        enum ft_status st = ft_consumer_poll(d->in, (int)left, &m, NULL);

        if (st == FT_AGAIN || st == FT_EFATAL)
            return;
        if (st != FT_OK)
            continue;
        scan(d, m.value, strcmp(m.topic, d->pipe->topics.transactions_dlq) == 0);
        ft_msg_done(&m);
    }
}

uint64_t ft_dead_by_scorer(const struct ft_dead *d)
{
    return d->by_scorer;
}

uint64_t ft_dead_by_sink(const struct ft_dead *d)
{
    return d->by_sink;
}
