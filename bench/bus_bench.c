/*
 * What the log between the stages costs: messages a second and CPU seconds per million, for sending, reading (with
 * commits) and both at once.  bus_bench [--messages N] [--bytes N] [-X name=value]... [BROKERS]; without brokers the loopback (only both at
 * once: it holds 32 MiB).  Payloads are 10,000 different ones, made from a seed, so that compression does not flatter.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "fraudtop/bus.h"
#include "fraudtop/log.h"

#define DIFFERENT 10000

struct bench {
    struct ft_bus *bus;
    char topic[64];
    uint64_t n, n_reports, n_failed;
    size_t bytes;
    struct ft_offset next[3]; /* of the reader, by partition */
    char *payload;
    char key[DIFFERENT][17];
};

struct cost {
    int64_t ns;
    double cpu;
};

static double cpu_seconds(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static _Noreturn void die(const char *what, const struct ft_err *err)
{
    fprintf(stderr, "bus_bench: %s: %s\n", what, err->text);
    exit(1);
}

/* Text that compresses about as transactions do: digits and words from a small vocabulary. */
static void make_payloads(struct bench *b)
{
    static const char *const word[] = {
        "\"amount\":", "\"merch\":\"fraud_", "grocery_pos", "\"lat\":",
        "\"jobs\":\"", "Elm Street",         "NY",          "2019-09-"};
    uint64_t x = 88172645463325252u;

    for (size_t i = 0; i < DIFFERENT; i++) {
        char *p = b->payload + i * b->bytes;

        for (size_t n = 0; n < b->bytes;) {
            char number[24];
            const char *text = number;
            size_t len;

            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            if (x & 64)
                text = word[x & 7];
            else
                snprintf(number, sizeof(number), "%" PRIu64 ",", x >> 40);
            len = strlen(text);
            len = len < b->bytes - n ? len : b->bytes - n;
            memcpy(p + n, text, len);
            n += len;
        }
        snprintf(b->key[i], sizeof(b->key[i]), "%016" PRIx64, x);
    }
}

static void delivered(void *user, uint64_t token, enum ft_status st, int32_t partition,
                      int64_t offset)
{
    struct bench *b = user;

    (void)token;
    (void)partition;
    (void)offset;
    b->n_reports++;
    b->n_failed += st != FT_OK;
}

static void *produce(void *user)
{
    struct bench *b = user;
    struct ft_producer_opts o = {.linger_ms = 5, .delivered = delivered, .user = b};
    struct ft_producer *p;
    struct ft_err err;

    if (ft_producer_new(&p, b->bus, &o, &err) != FT_OK)
        die("producer", &err);
    for (uint64_t i = 0; i < b->n; i++) {
        size_t k = i % DIFFERENT;
        struct ft_span value = {b->payload + k * b->bytes, b->bytes}, key = {b->key[k], 16};
        enum ft_status st;

        while ((st = ft_send(p, b->topic, FT_BY_KEY, key, value, NULL, 0, -1, i + 1, &err)) ==
               FT_AGAIN)
            ft_producer_poll(p, 10, &err);
        if (st != FT_OK)
            die("send", &err);
        if (i % 256 == 0)
            ft_producer_poll(p, 0, &err);
    }
    if (ft_producer_flush(p, 60000, &err) != FT_OK)
        die("flush", &err);
    ft_producer_free(p);
    return NULL;
}

static void consume(struct bench *b, struct ft_consumer *c)
{
    struct ft_offset *next = b->next;
    struct ft_err err;

    for (uint64_t n = 0; n < b->n;) {
        struct ft_msg m;
        enum ft_status st = ft_consumer_poll(c, 1000, &m, &err);

        if (st == FT_AGAIN || st == FT_EUNREACHABLE)
            continue;
        if (st != FT_OK)
            die("poll", &err);
        if (m.offset > next[m.partition].next) {
            fprintf(stderr, "bus_bench: [%d]: offset %" PRId64 " came where %" PRId64 " was due\n",
                    (int)m.partition, m.offset, next[m.partition].next);
            exit(1);
        }
        next[m.partition].next = m.offset + 1;
        ft_msg_done(&m);
        if (++n % 10000 == 0 || n == b->n)
            ft_consumer_commit(c, next, 3, false, NULL);
    }
}

static struct ft_consumer *join(struct bench *b, const char *group)
{
    const char *topics[] = {b->topic};
    char name[100];
    struct ft_consumer_opts o = {
        .group = name, .topics = topics, .n_topics = 1, .queued_kbytes = 131072};
    struct ft_consumer *c;
    struct ft_err err;

    for (int i = 0; i < 3; i++)
        b->next[i] = (struct ft_offset){b->topic, i, 0};
    snprintf(name, sizeof(name), "%s-%s", group, b->topic);
    if (ft_consumer_new(&c, b->bus, &o, &err) != FT_OK)
        die("consumer", &err);
    return c;
}

static struct cost begin(void)
{
    return (struct cost){ft_now_ns(), cpu_seconds()};
}

static void report(const struct bench *b, const char *what, struct cost from)
{
    double seconds = (double)(ft_now_ns() - from.ns) / 1e9, m = (double)b->n / 1e6;
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    printf("{\"what\":\"%s\",\"kafka\":%s,\"messages\":%" PRIu64
           ",\"bytes\":%zu,\"per_s\":%.0f,\"cpu_s_per_million\":%.2f,\"peak_mb\":%ld}\n",
           what, ft_bus_embedded(b->bus) ? "false" : "true", b->n, b->bytes, (double)b->n / seconds,
           (cpu_seconds() - from.cpu) / m, u.ru_maxrss / 1024);
    fflush(stdout);
}

static void run(struct bench *b)
{
    struct ft_consumer *c;
    struct cost from;
    pthread_t thread;

    if (!ft_bus_embedded(b->bus)) {
        from = begin();
        produce(b);
        report(b, "send", from);
        c = join(b, "bench-read");
        from = begin();
        consume(b, c);
        report(b, "read", from);
        ft_consumer_close(c, 5000);
    }
    c = join(b, "bench-both");
    if (!ft_bus_embedded(b->bus))
        consume(b, c); /* what is there, and the group has settled */
    from = begin();
    if (pthread_create(&thread, NULL, produce, b) != 0)
        exit(1);
    consume(b, c);
    pthread_join(thread, NULL);
    report(b, "both", from);
    ft_consumer_close(c, 5000);
}

int main(int argc, char **argv)
{
    static struct bench b = {.n = 1000000, .bytes = 500};
    struct ft_prop prop[16];
    struct ft_bus_opts o = {.client_id = "bench", .prop = prop};
    struct ft_topic_spec spec = {.partitions = 3, .replication = 1};
    struct ft_err err;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--messages") == 0 && i + 1 < argc)
            b.n = strtoull(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--bytes") == 0 && i + 1 < argc)
            b.bytes = strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "-X") == 0 && i + 1 < argc && o.n_prop < 16 &&
                 strchr(argv[i + 1], '=')) {
            char *value = strchr(argv[++i], '=');

            *value++ = '\0';
            prop[o.n_prop++] = (struct ft_prop){argv[i], value};
        } else
            o.brokers = argv[i];
    }
    if (b.n < 1 || b.bytes < 1 || b.bytes > 100000 || !(b.payload = malloc(b.bytes * DIFFERENT))) {
        fprintf(stderr,
                "usage: bus_bench [--messages N] [--bytes N] [-X name=value]... [BROKERS]\n");
        return 2;
    }
    make_payloads(&b);
    snprintf(b.topic, sizeof(b.topic), "bench-%" PRId64 "-%d", ft_wall_ms(), (int)getpid());
    spec.name = b.topic;
    if (ft_bus_open(&b.bus, &o, &err) != FT_OK ||
        ft_bus_ensure_topics(b.bus, &spec, 1, 10000, &err) != FT_OK)
        die("bus", &err);
    run(&b);
    ft_bus_close(b.bus);
    free(b.payload);
    return b.n_failed || b.n_reports % b.n ? 1 : 0;
}
