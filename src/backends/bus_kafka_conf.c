/* Properties: our table, what may override it, and what may not. */
#include "bus_kafka.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

struct setting {
    const char *name, *value;
    int roles;
    bool optional; /* set where the library knows it */
};

/* Measured, with reasons, in the design's table of client settings; later rows and the user's win. */
static const struct setting settings[] = {
    {"client.software.name",          "fraudtop",         KB_ALL,                        true },
    {"socket.nagle.disable",          "true",             KB_ALL,                        false},
    {"reconnect.backoff.max.ms",      "1000",             KB_ALL,                        false},
    {"allow.auto.create.topics",      "false",            KB_ADMIN | KB_CONSUMER,        false},
    {"statistics.interval.ms",        "5000",             KB_ALL & ~KB_ADMIN,            false},
    {"enable.idempotence",            "true",             KB_PRODUCER | KB_TXN_PRODUCER, false},
    {"acks",                          "all",              KB_PRODUCER | KB_TXN_PRODUCER, false},
    {"partitioner",                   "murmur2_random",   KB_PRODUCER | KB_TXN_PRODUCER, false},
    {"compression.codec",             "lz4",              KB_PRODUCER | KB_TXN_PRODUCER, false},
    {"linger.ms",                     "5",                KB_PRODUCER,                   false},
    {"linger.ms",                     "2",                KB_TXN_PRODUCER,               false},
    {"queue.buffering.max.messages",  "100000",           KB_PRODUCER | KB_TXN_PRODUCER, false},
    {"queue.buffering.max.kbytes",    "65536",            KB_PRODUCER | KB_TXN_PRODUCER, false},
    {"message.timeout.ms",            "0",                KB_PRODUCER,                   false},
    {"enable.auto.commit",            "false",            KB_CONSUMER,                   false},
    {"enable.auto.offset.store",      "false",            KB_CONSUMER,                   false},
    {"isolation.level",               "read_committed",   KB_CONSUMER,                   false},
 /* A partition that is resumed waits until the request under way is answered. */
    {"fetch.wait.max.ms",             "100",              KB_CONSUMER,                   false},
    {"fetch.queue.backoff.ms",        "10",               KB_CONSUMER,                   true },
    {"session.timeout.ms",            "8000",             KB_CONSUMER,                   false},
 /* Members learn from an answer to it that another came or went: until all have, nobody works. */
    {"heartbeat.interval.ms",         "500",              KB_CONSUMER,                   false},
    {"max.poll.interval.ms",          "300000",           KB_CONSUMER,                   false},
    {"partition.assignment.strategy", "range,roundrobin", KB_CONSUMER,                   false},
};

/* Values other than these break a promise; NULL as first: never, the hint says what to use. */
struct guard {
    const char *name, *allowed[4], *why;
};
static const struct guard guards[] = {
    {"enable.auto.commit",       {"false", "f", "0"},           "offsets may move only with results"      },
    {"auto.commit.enable",       {"false", "f", "0"},           "offsets may move only with results"      },
    {"enable.auto.offset.store", {"false", "f", "0"},           "offsets may move only with results"      },
    {"acks",                     {"all", "-1"},                 "an acknowledged message could be lost"   },
    {"request.required.acks",    {"all", "-1"},                 "an acknowledged message could be lost"   },
    {"enable.idempotence",       {"true", "t", "1"},            "a retry could repeat or reorder messages"},
    {"message.timeout.ms",       {"0"},                         "messages would be dropped in an outage"  },
    {"delivery.timeout.ms",      {"0"},                         "messages would be dropped in an outage"  },
    {"isolation.level",          {"read_committed"},            "aborted verdicts would be read"          },
    {"auto.offset.reset",
     {"earliest", "smallest", "beginning", "error"},
     "a new group would miss messages"                                                                    },
    {"partitioner",              {"murmur2_random", "murmur2"}, "a customer's order needs one partition"  },
};
static const struct guard ours[] = {
    {"bootstrap.servers",    {NULL}, "give the brokers with -b (FRAUDTOP_BROKERS)"   },
    {"metadata.broker.list", {NULL}, "give the brokers with -b (FRAUDTOP_BROKERS)"   },
    {"group.id",             {NULL}, "give the group with --group"                   },
    {"transactional.id",     {NULL}, "it is made from group, topic and partition"    },
    {"enable.partition.eof", {NULL}, "the program needs it as it is"                 },
    {"log.queue",            {NULL}, "the client's log lines go to the program's log"},
    {"group.protocol",       {NULL}, "only the classic protocol is supported"        },
};

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

enum ft_status kb_conf_set(rd_kafka_conf_t *conf, const char *name, const char *value,
                           struct ft_err *err)
{
    char text[300];
    rd_kafka_conf_res_t r = rd_kafka_conf_set(conf, name, value, text, sizeof(text));

    if (r == RD_KAFKA_CONF_UNKNOWN)
        return ft_fail(err, FT_EUSAGE, "%s: no such Kafka property (-X list shows them)", name);
    if (r != RD_KAFKA_CONF_OK && ft_prop_is_secret(name))
        return ft_fail(err, FT_EUSAGE, "%s: the value cannot be used", name);
    if (r != RD_KAFKA_CONF_OK)
        return ft_fail(err, FT_EUSAGE, "%s: %s", name, text);
    return FT_OK;
}

/* "producer:linger.ms" → "linger.ms" when the role is meant, NULL when it is not. */
static const char *for_role(const char *name, enum kb_role role)
{
    static const struct {
        const char *prefix;
        int roles;
    } prefixes[] = {
        {"producer:", KB_PRODUCER | KB_TXN_PRODUCER},
        {"consumer:", KB_CONSUMER                  },
        {"admin:",    KB_ADMIN                     },
    };

    for (size_t i = 0; i < COUNT(prefixes); i++) {
        size_t n = strlen(prefixes[i].prefix);

        if (strncmp(name, prefixes[i].prefix, n) == 0)
            return prefixes[i].roles & (int)role ? name + n : NULL;
    }
    return name;
}

static bool known(const char *name)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    size_t n = 0;
    bool is = rd_kafka_conf_get(conf, name, NULL, &n) == RD_KAFKA_CONF_OK;

    rd_kafka_conf_destroy(conf);
    return is;
}

/* "topic.compression.type" means the topic's property, unless that is a name of its own (topic.metadata…). */
static const char *plain(const char *name)
{
    return strncmp(name, "topic.", 6) == 0 && !known(name) ? name + 6 : name;
}

static enum ft_status check_guards(const struct kb_bus *b, const char *name, const char *value,
                                   struct ft_err *err)
{
    for (size_t i = 0; i < COUNT(ours); i++)
        if (strcmp(ours[i].name, name) == 0)
            return ft_fail(err, FT_EUSAGE, "%s cannot be set: %s", name, ours[i].why);
    if (strcmp(name, "partition.assignment.strategy") == 0 && strstr(value, "cooperative"))
        return ft_fail(err, FT_EUSAGE, "%s: cooperative assignment is not supported", name);
    for (size_t i = 0; !b->unsafe && i < COUNT(guards); i++) {
        const struct guard *g = &guards[i];
        bool fine = false;

        if (strcmp(g->name, name) != 0)
            continue;
        for (size_t k = 0; k < COUNT(g->allowed) && g->allowed[k]; k++)
            fine |= strcasecmp(g->allowed[k], value) == 0;
        if (!fine)
            return ft_fail(err, FT_EUSAGE,
                           "%s=%s is refused: %s (--unsafe allows it; the default is %s)", name,
                           value, g->why, g->allowed[0]);
    }
    return FT_OK;
}

/* The library's own words for a file that is not there do not name it. */
static enum ft_status check_file(const char *name, const char *value, struct ft_err *err)
{
    size_t n = strlen(name);

    if (strncmp(name, "ssl.", 4) != 0 || n < 9 || strcmp(name + n - 9, ".location") != 0 ||
        strcmp(value, "probe") == 0 || access(value, R_OK) == 0)
        return FT_OK;
    return ft_fail(err, FT_EUSAGE, "%s: %s: %s", name, value, strerror(errno));
}

static enum ft_status apply_user(rd_kafka_conf_t *conf, struct kb_bus *b, enum kb_role role,
                                 struct ft_err *err)
{
    enum ft_status st = FT_OK;

    for (size_t i = 0; i < b->n_prop && st == FT_OK; i++) {
        const char *name = for_role(b->prop[i].name, role), *value = b->prop[i].value;

        if (!name)
            continue;
        name = plain(name);
        st = check_guards(b, name, value, err);
        if (st == FT_OK)
            st = check_file(name, value, err);
        if (st != FT_OK)
            break;
        if (strcmp(name, "auto.offset.reset") == 0)
            b->latest = strcasecmp(value, "latest") == 0 || strcasecmp(value, "largest") == 0 ||
                        strcasecmp(value, "end") == 0;
        /* A transaction's own time-out bounds its messages, see settings. */
        if (role == KB_TXN_PRODUCER &&
            (strcmp(name, "message.timeout.ms") == 0 || strcmp(name, "delivery.timeout.ms") == 0))
            continue;
        st = kb_conf_set(conf, name, value, err);
    }
    return st;
}

enum ft_status kb_conf_new(rd_kafka_conf_t **out, struct kb_bus *b, enum kb_role role,
                           const struct ft_prop *own, size_t n_own, struct ft_err *err)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    enum ft_status st = FT_OK;

    for (size_t i = 0; i < COUNT(settings) && st == FT_OK; i++) {
        const struct setting *s = &settings[i];

        if ((s->roles & (int)role) && (!s->optional || known(s->name)))
            st = kb_conf_set(conf, s->name, s->value, err);
    }
    for (size_t i = 0; i < n_own && st == FT_OK; i++)
        st = kb_conf_set(conf, own[i].name, own[i].value, err);
    if (st == FT_OK)
        st = apply_user(conf, b, role, err);
    if (st == FT_OK)
        st = kb_conf_set(conf, "bootstrap.servers", b->brokers, err);
    if (st == FT_OK && b->client_id)
        st = kb_conf_set(conf, "client.id", b->client_id, err);
    if (st != FT_OK) {
        rd_kafka_conf_destroy(conf);
        return st;
    }
    *out = conf;
    return FT_OK;
}

enum ft_status kb_props_check(struct kb_bus *b, struct ft_err *err)
{
    static const enum kb_role roles[] = {KB_PRODUCER, KB_TXN_PRODUCER, KB_CONSUMER, KB_ADMIN};
    enum ft_status st = FT_OK;

    for (size_t i = 0; i < COUNT(roles) && st == FT_OK; i++) {
        rd_kafka_conf_t *conf = NULL;

        st = kb_conf_new(&conf, b, roles[i], NULL, 0, err);
        if (conf)
            rd_kafka_conf_destroy(conf);
    }
    return st;
}

void ft_bus_list_properties(FILE *out)
{
    rd_kafka_conf_properties_show(out);
}
