/* Properties given by the user: which are taken, refused, and never shown. */
#include "ft_test.h"

#include "fraudtop/bus.h"

static enum ft_status open_with(const char *name, const char *value, bool unsafe,
                                struct ft_err *err)
{
    struct ft_prop prop = {name, value};
    struct ft_bus_opts o = {.brokers = "127.0.0.1:1", .prop = &prop, .n_prop = 1, .unsafe = unsafe};
    struct ft_bus *bus;
    enum ft_status st;

    err->text[0] = '\0';
    st = ft_bus_open(&bus, &o, err);
    ft_bus_close(bus);
    return st;
}

static void properties_of_the_library_are_taken(void **state)
{
    static const char *const fine[][2] = {
        {"linger.ms",                          "50"      },
        {"producer:linger.ms",                 "0"       },
        {"consumer:fetch.wait.max.ms",         "100"     },
        {"topic.compression.type",             "zstd"    },
        {"producer:topic.request.timeout.ms",  "9000"    },
        {"topic.metadata.refresh.interval.ms", "10000"   },
        {"security.protocol",                  "sasl_ssl"},
        {"sasl.password",                      "s3cret"  },
        {"enable.auto.commit",                 "false"   },
        {"acks",                               "-1"      },
        {"auto.offset.reset",                  "earliest"},
        {"partition.assignment.strategy",      "range"   },
    };
    struct ft_err err;

    (void)state;
    for (size_t i = 0; i < sizeof(fine) / sizeof(*fine); i++)
        if (open_with(fine[i][0], fine[i][1], false, &err) != FT_OK)
            fail_msg("%s=%s: %s", fine[i][0], fine[i][1], err.text);
}

static void a_slip_is_named(void **state)
{
    struct ft_err err;

    (void)state;
    assert_int_equal(open_with("linger.mss", "5", false, &err), FT_EUSAGE);
    assert_non_null(strstr(err.text, "linger.mss: no such Kafka property"));
    assert_int_equal(open_with("linger.ms", "soon", false, &err), FT_EUSAGE);
    assert_non_null(strstr(err.text, "linger.ms"));
    assert_int_equal(open_with("producer:nonsense", "1", false, &err), FT_EUSAGE);
    assert_int_equal(open_with("topic.nonsense", "1", false, &err), FT_EUSAGE);
    assert_int_equal(open_with("opaque", "1", false, &err), FT_EUSAGE);
}

static void what_breaks_a_promise_needs_unsafe(void **state)
{
    static const char *const risky[][2] = {
        {"enable.auto.commit",          "true"            },
        {"consumer:enable.auto.commit", "TRUE"            },
        {"acks",                        "0"               },
        {"topic.acks",                  "1"               },
        {"request.required.acks",       "1"               },
        {"enable.idempotence",          "false"           },
        {"message.timeout.ms",          "5000"            },
        {"isolation.level",             "read_uncommitted"},
        {"auto.offset.reset",           "latest"          },
        {"partitioner",                 "random"          },
    };
    struct ft_err err;

    (void)state;
    for (size_t i = 0; i < sizeof(risky) / sizeof(*risky); i++) {
        assert_int_equal(open_with(risky[i][0], risky[i][1], false, &err), FT_EUSAGE);
        assert_non_null(strstr(err.text, "--unsafe"));
        if (open_with(risky[i][0], risky[i][1], true, &err) != FT_OK)
            fail_msg("%s: %s", risky[i][0], err.text);
    }
}

static void what_the_program_sets_itself_points_to_its_option(void **state)
{
    struct ft_err err;

    (void)state;
    assert_int_equal(open_with("bootstrap.servers", "a:1", true, &err), FT_EUSAGE);
    assert_non_null(strstr(err.text, "-b"));
    assert_int_equal(open_with("group.id", "g", true, &err), FT_EUSAGE);
    assert_non_null(strstr(err.text, "--group"));
    assert_int_equal(open_with("partition.assignment.strategy", "cooperative-sticky", true, &err),
                     FT_EUSAGE);
}

static void secrets_are_known_and_never_told(void **state)
{
    static const char *const secret[] = {"sasl.password",
                                         "ssl.key.password",
                                         "ssl.keystore.password",
                                         "producer:sasl.password",
                                         "sasl.oauthbearer.client.secret",
                                         "ssl.key.pem",
                                         "sasl.jaas.config",
                                         "SASL.PASSWORD"};
    struct ft_err err;

    (void)state;
    for (size_t i = 0; i < sizeof(secret) / sizeof(*secret); i++)
        assert_true(ft_prop_is_secret(secret[i]));
    assert_false(ft_prop_is_secret("sasl.username"));
    assert_false(ft_prop_is_secret("ssl.ca.location"));
    assert_false(ft_prop_is_secret("linger.ms"));
    /* A misspelt name with a secret as its value, and a value that the library does not take. */
    assert_int_equal(open_with("sasl.passwort", "s3cret", false, &err), FT_EUSAGE);
    assert_null(strstr(err.text, "s3cret"));
    assert_int_equal(open_with("ssl.ca.location", "/nowhere/ca.pem", false, &err), FT_EUSAGE);
    assert_string_equal(err.text, "ssl.ca.location: /nowhere/ca.pem: No such file or directory");
}

static void the_list_has_every_property(void **state)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);

    (void)state;
    ft_bus_list_properties(f);
    fclose(f);
    assert_non_null(strstr(text, "sasl.mechanism"));
    assert_non_null(strstr(text, "queue.buffering.max.messages"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(properties_of_the_library_are_taken),
        cmocka_unit_test(a_slip_is_named),
        cmocka_unit_test(what_breaks_a_promise_needs_unsafe),
        cmocka_unit_test(what_the_program_sets_itself_points_to_its_option),
        cmocka_unit_test(secrets_are_known_and_never_told),
        cmocka_unit_test(the_list_has_every_property),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
