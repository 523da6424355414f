#include "stage.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fraudtop/log.h"

#define DEAD_MS 10000 /* for a topic of dead letters to take a message */

void ft_stage_init(struct ft_stage *s, enum ft_stage_kind kind, const struct ft_pipe *pipe)
{
    s->kind = kind;
    s->pipe = pipe;
    atomic_store(&s->counters.lag, -1);
    pthread_mutex_init(&s->lock, NULL);
}

static void *stage_main(void *arg)
{
    struct ft_stage *s = arg;

    s->result = s->run(s, &s->err);
    if (s->result == FT_ESTOPPED)
        s->result = FT_OK;
    ft_stage_state(s, s->result == FT_OK ? FT_STAGE_DONE : FT_STAGE_FAILED);
    atomic_store(&s->ended, 1);
    return NULL;
}

enum ft_status ft_stage_begin(struct ft_stage *s, struct ft_err *err)
{
    int rc = pthread_create(&s->thread, NULL, stage_main, s);

    if (rc)
        return ft_fail(err, FT_ENOMEM, "no thread for a stage: %s", strerror(rc));
    s->started = true;
    return FT_OK;
}

void ft_stage_stop(struct ft_stage *s)
{
    atomic_store(&s->stop, 1);
}

bool ft_stage_ended(const struct ft_stage *s)
{
    return atomic_load(&s->ended) != 0;
}

enum ft_status ft_stage_join(struct ft_stage *s, int timeout_ms, struct ft_err *err)
{
    int64_t until = ft_now_ms() + timeout_ms;

    while (s->started && !s->joined) {
        if (timeout_ms >= 0 && !ft_stage_ended(s)) {
            if (ft_now_ms() >= until)
                return ft_fail(err, FT_AGAIN, "the stage has not ended yet");
            ft_sleep_ms(5);
            continue;
        }
        pthread_join(s->thread, NULL);
        s->joined = true;
    }
    if (s->result != FT_OK && err)
        *err = s->err;
    return s->result;
}

void ft_stage_free(struct ft_stage *s)
{
    if (!s)
        return;
    if (s->destroy)
        s->destroy(s);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

struct ft_counters *ft_stage_counters(struct ft_stage *s)
{
    return &s->counters;
}

void ft_stage_sleep(const struct ft_stage *s, int ms)
{
    int64_t until = ft_now_ms() + ms;

    while (!ft_stage_stopping(s) && ft_now_ms() < until)
        ft_sleep_ms(ms < 20 ? ms : 20);
}

bool ft_seldom(struct ft_seldom *s)
{
    int64_t now = ft_now_ms();

    if (now < s->next_ms)
        return false;
    s->next_ms = now + 10000;
    return true;
}

enum ft_status ft_dead_letter(struct ft_producer *p, const char *topic, const struct ft_msg *m,
                              const char *reason, uint64_t token, struct ft_err *err)
{
    char part[16], offset[24], stamp[40], length[24];
    time_t s = (time_t)(ft_wall_ms() / 1000);
    struct tm tm;
    struct ft_span value = m->value;
    int64_t until = ft_now_ms() + DEAD_MS;
    bool cut = false;
    size_t n;
    enum ft_status st;

    gmtime_r(&s, &tm);
    strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%SZ", &tm);
    snprintf(part, sizeof(part), "%d", m->partition);
    snprintf(offset, sizeof(offset), "%" PRId64, m->offset);
    snprintf(length, sizeof(length), "%zu", value.n);
    struct ft_header h[6 + FT_HEADERS_MAX] = {
        {"truncated.from",   ft_span_of(length)  },
        {"error",            ft_span_of(reason)  },
        {"source.topic",     ft_span_of(m->topic)},
        {"source.partition", ft_span_of(part)    },
        {"source.offset",    ft_span_of(offset)  },
        {"time",             ft_span_of(stamp)   },
    };
    n = 5 + ft_msg_headers(m, h + 6, FT_HEADERS_MAX); /* the message's own follow ours */
    for (;;) {
        st = ft_send(p, topic, FT_BY_KEY, m->key, value, cut ? h : h + 1, cut ? 6 : n,
                     m->timestamp_ms, token, err);
        if (st == FT_EINPUT && !cut) { /* too long even for that topic */
            value.n = value.n > 512u << 10 ? 512u << 10 : value.n / 2;
            cut = true;
            continue;
        }
        if (st != FT_AGAIN)
            return st;
        if (ft_now_ms() >= until)
            return ft_fail(err, FT_EUNREACHABLE, "topic %s takes no message", topic);
        st = ft_producer_poll(p, 100, err);
        if (st == FT_EFATAL)
            return st;
    }
}
