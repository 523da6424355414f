/* Settings: the table, values, files, environment, order. */
#include "ft_test.h"

#include "fraudtop/config.h"

static struct ft_config *fresh(void)
{
    struct ft_config *c = ft_config_new();

    assert_non_null(c);
    return c;
}

struct lines {
    char text[2048];
};

static void keep(void *user, const char *line)
{
    struct lines *l = user;

    snprintf(l->text + strlen(l->text), sizeof(l->text) - strlen(l->text), "%s\n", line);
}

static enum ft_status ini(struct ft_config *c, const char *text, const char *profile,
                          struct lines *warned, struct ft_err *err)
{
    return ft_config_ini(c, text, strlen(text), "f.conf", profile, keep, warned, err);
}

/* ---- the table ------------------------------------------------------------------------------------ */

static void rows_are_sound(void **state)
{
    struct ft_config *c = fresh();
    struct ft_err err;

    (void)state;
    for (size_t i = 0; i < ft_n_options; i++) {
        const struct ft_option *o = &ft_options[i];
        const char *dot = strchr(o->key, '.');
        size_t n = strlen(o->help);

        assert_true(dot && dot != o->key && dot[1]);
        assert_int_equal(o->help[n - 1], '.');
        assert_true(o->commands != 0);
        assert_true(ft_option_key(o->key) == o);
        if (o->type == FT_OPT_SECRET)
            assert_null(o->long_name);
        if (o->type == FT_OPT_DURATION)
            assert_true(*o->unit);
        if (o->fallback && ft_config_set(c, o->key, o->fallback, "built in", &err) != FT_OK)
            fail_msg("%s: its own default is refused: %s", o->key, err.text);
    }
    ft_config_free(c);
}

/* One command never has two options of one name or letter, and an option of one name always (or never) takes a value. */
static void names_are_unique(void **state)
{
    (void)state;
    for (size_t i = 0; i < ft_n_options; i++)
        for (size_t k = i + 1; k < ft_n_options; k++) {
            const struct ft_option *a = &ft_options[i], *b = &ft_options[k];
            bool same = a->long_name && b->long_name && strcmp(a->long_name, b->long_name) == 0;

            assert_string_not_equal(a->key, b->key);
            if ((a->commands & b->commands) && same)
                fail_msg("--%s twice: %s, %s", a->long_name, a->key, b->key);
            if ((a->commands & b->commands) && a->letter && a->letter == b->letter)
                fail_msg("-%c twice: %s, %s", a->letter, a->key, b->key);
            if (same)
                assert_int_equal(ft_option_takes_value(a), ft_option_takes_value(b));
        }
}

/* ---- values --------------------------------------------------------------------------------------- */

static void values_are_read(void **state)
{
    struct ft_config *c = fresh();
    struct ft_err err;

    (void)state;
    assert_string_equal(ft_cfg_text(c, "service.brokers"), "localhost:9092");
    assert_false(ft_cfg_is_set(c, "service.brokers"));
    assert_string_equal(ft_cfg_source(c, "service.brokers"), "built in");
    assert_int_equal(ft_cfg_ms(c, "service.connect_timeout"), 10000);
    assert_int_equal(ft_cfg_ms(c, "topics.retention"), INT64_C(7) * 86400000);
    assert_true(isnan(ft_cfg_real(c, "model.threshold")));

    assert_int_equal(ft_config_set(c, "replay.rate", "max", "--rate", &err), FT_OK);
    assert_true(ft_cfg_real(c, "replay.rate") == 0);
    assert_int_equal(ft_config_set(c, "replay.rate", "0.5", "--rate", &err), FT_OK);
    assert_true(ft_cfg_real(c, "replay.rate") == 0.5);
    assert_string_equal(ft_cfg_source(c, "replay.rate"), "--rate");
    assert_int_equal(ft_config_set(c, "sink.batch-age", "5", "x", &err), FT_OK);
    assert_int_equal(ft_cfg_ms(c, "sink.batch_age"), 5); /* a bare number is in the row's unit */
    assert_int_equal(ft_config_set(c, "sink.batch_age", "1.5s", "x", &err), FT_OK);
    assert_int_equal(ft_cfg_ms(c, "sink.batch_age"), 1500);
    assert_int_equal(ft_config_set(c, "output.json", "yes", "x", &err), FT_OK);
    assert_true(ft_cfg_flag(c, "output.json"));
    ft_config_free(c);
}

static void bad_values_are_refused(void **state)
{
    static const char *const rows[][2] = {
        {"replay.rate",      "0"                               },
        {"replay.rate",      "fast"                            },
        {"replay.rate",      "-5"                              },
        {"replay.rate",      "1e9"                             },
        {"replay.limit",     "1.5"                             },
        {"replay.limit",     "12x"                             },
        {"replay.limit",     ""                                },
        {"replay.limit",     "99999999999999999999"            },
        {"model.threshold",  "nan"                             },
        {"model.threshold",  "inf"                             },
        {"model.threshold",  "0,5"                             },
        {"model.threshold",  "0x1p3"                           },
        {"output.json",      "perhaps"                         },
        {"output.color",     "alw"                             },
        {"output.color",     "auto|never"                      },
        {"output.color",     ""                                },
        {"sink.batch_age",   "5 ms"                            },
        {"sink.batch_age",   "2h"                              },
        {"sink.batch_age",   "5y"                              },
        {"sink.batch_age",   "-5ms"                            },
        {"key.secret",       "1234"                            },
        {"key.secret",       "zz000000000000000000000000000000"},
        {"service.database", "host=a password=b"               },
    };
    struct ft_config *c = fresh();
    struct ft_err err;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        err.text[0] = '\0';
        if (ft_config_set(c, rows[i][0], rows[i][1], "here", &err) != FT_EUSAGE)
            fail_msg("%s = %s was taken", rows[i][0], rows[i][1]);
        assert_memory_equal(err.text, "here: ", 6);
        assert_false(ft_cfg_is_set(c, rows[i][0]));
    }
    assert_int_equal(ft_config_set(c, "replay.rte", "5", "here", &err), FT_EUSAGE);
    /* what a secret is stays out of the message */
    assert_int_equal(ft_config_set(c, "key.secret", "hush", "here", &err), FT_EUSAGE);
    assert_null(strstr(err.text, "hush"));
    ft_config_free(c);
}

static void passwords_are_refused(void **state)
{
    static const char *const bad[] = {
        "password=x",
        "host=a password = 'x y'",
        "host='a b' port=5 password=",
        "postgresql://u:p@h/db",
        "postgres://u:@h",
        "postgresql://h/db?password=x",
        "postgresql://h/db?user=a&pass%77ord=x",
        "postgresql://h/db?sslpassword=x",
    };
    static const char *const good[] = {
        "",
        "dbname=fraud",
        "host='password=x' dbname=a",
        "service=fraud passfile=/a/b",
        "postgresql://u@h:5432/db?sslmode=require",
        "postgresql:///db?host=/run/postgresql",
        "host=/tmp/a\\ password=b",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (!ft_conninfo_has_password(bad[i]))
            fail_msg("taken: %s", bad[i]);
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        if (ft_conninfo_has_password(good[i]))
            fail_msg("refused: %s", good[i]);
}

static void properties_are_merged_in_order(void **state)
{
    struct ft_config *c = fresh();
    struct ft_err err;
    struct lines warned = {""};
    const struct ft_prop *prop;
    char *const env[] = {"FRAUDTOP_KAFKA_LINGER_MS=2", "FRAUDTOP_KAFKA_SASL_PASSWORD=hush",
                         "FRAUDTOP_KAFKA_ACKS=", NULL};
    static const char file[] = "# Java's names\nlinger.ms = 1\n\nssl.key.password=a = b\n";

    (void)state;
    assert_int_equal(ini(c, "[kafka]\nlinger.ms = 0\nproducer:acks = all\n", NULL, &warned, &err),
                     FT_OK);
    assert_int_equal(ft_config_properties(c, file, sizeof(file) - 1, "k.conf", &err), FT_OK);
    assert_int_equal(ft_config_env(c, env, keep, &warned, &err), FT_OK);
    assert_int_equal(ft_config_property(c, "linger.ms=3", "-X", &err), FT_OK);
    assert_int_equal(ft_cfg_props(c, &prop), 7);
    assert_string_equal(prop[0].name, "linger.ms");
    assert_string_equal(prop[1].name, "producer:acks");
    assert_string_equal(prop[3].value, "a = b");
    assert_string_equal(prop[4].value, "2");
    assert_string_equal(prop[5].name, "sasl.password");
    assert_string_equal(prop[6].value, "3");
    assert_string_equal(ft_cfg_prop_source(c, 2), "k.conf:2");
    assert_string_equal(warned.text, "");

    assert_int_equal(ft_config_property(c, "sasl.password=hush", "-X", &err), FT_EUSAGE);
    assert_null(strstr(err.text, "hush"));
    assert_int_equal(ft_config_property(c, "linger.ms", "-X", &err), FT_EUSAGE);
    assert_int_equal(ft_cfg_props(c, &prop), 7);
    ft_config_free(c);
}

static void secret_names(void **state)
{
    (void)state;
    assert_true(ft_name_is_secret("sasl.password"));
    assert_true(ft_name_is_secret("SSL.Key.Password"));
    assert_true(ft_name_is_secret("sasl.oauthbearer.client.secret"));
    assert_true(ft_name_is_secret("ssl.key.pem"));
    assert_true(ft_name_is_secret("sasl.jaas.config"));
    assert_false(ft_name_is_secret("ssl.key.location"));
    assert_false(ft_name_is_secret("sasl.oauthbearer.token.endpoint.url"));
    assert_false(ft_name_is_secret("linger.ms"));
}

/* ---- files and environment ------------------------------------------------------------------------ */

static void sections_whole_keys_and_long_names(void **state)
{
    struct ft_config *c = fresh();
    struct ft_err err;
    struct lines warned = {""};
    const char *const *keys;

    (void)state;
    assert_int_equal(
        ini(c,
            "\xEF\xBB\xBF# comment\r\nbrokers = a:1 , b:2\r\n; another\nsink.batch_rows=7\n"
            "[replay]\nrate = 50\nrun-id = \" x \"\n[keys]\ncase.decide = D\nquit=Q\n",
            NULL, &warned, &err),
        FT_OK);
    assert_string_equal(warned.text, "");
    assert_string_equal(ft_cfg_text(c, "service.brokers"), "a:1 , b:2");
    assert_string_equal(ft_cfg_source(c, "service.brokers"), "f.conf:2");
    assert_int_equal(ft_cfg_int(c, "sink.batch_rows"), 7);
    assert_true(ft_cfg_real(c, "replay.rate") == 50);
    assert_string_equal(ft_cfg_text(c, "replay.run_id"), " x ");
    assert_int_equal(ft_cfg_list(c, "display.keys", &keys), 2);
    assert_string_equal(keys[0], "case.decide=D");
    assert_string_equal(keys[1], "quit=Q");
    ft_config_free(c);
}

static void unknown_keys_are_warnings_with_the_nearest(void **state)
{
    struct ft_config *c = fresh();
    struct ft_err err;
    struct lines warned = {""};

    (void)state;
    assert_int_equal(
        ini(c, "[replay]\nrte = 5\n[relpay]\nrate = 6\n[sink]\nzzzzzz = 1\n", NULL, &warned, &err),
        FT_OK);
    assert_string_equal(warned.text,
                        "f.conf:2: there is no setting \"rte\"; the nearest is \"rate\"\n"
                        "f.conf:3: there is no section \"relpay\"\n"
                        "f.conf:6: there is no setting \"zzzzzz\"\n");
    assert_false(ft_cfg_is_set(c, "replay.rate"));
    ft_config_free(c);
}

static void wrong_values_name_file_line_and_what_is_allowed(void **state)
{
    struct ft_config *c = fresh();
    struct ft_err err;
    struct lines warned = {""};

    (void)state;
    assert_int_equal(ini(c, "\n[output]\ncolor = red\n", NULL, &warned, &err), FT_EUSAGE);
    assert_string_equal(err.text, "f.conf:3: output.color: \"red\" is none of auto|always|never");
    assert_int_equal(ini(c, "[replay\n", NULL, &warned, &err), FT_EUSAGE);
    assert_int_equal(ini(c, "rate\n", NULL, &warned, &err), FT_EUSAGE);
    assert_int_equal(ini(c, "= 5\n", NULL, &warned, &err), FT_EUSAGE);
    assert_int_equal(ft_config_ini(c, "a\0b = 1\n", 8, "f", NULL, keep, &warned, &err), FT_EUSAGE);
    ft_config_free(c);
}

static void a_profile_comes_after_the_rest_of_its_file(void **state)
{
    static const char text[] =
        "[profile.demo]\nrate = 5\nkafka.linger.ms = 9\n[replay]\nrate = 50\n"
        "[profile.other]\nrate = 7\n";
    struct ft_config *c = fresh();
    struct ft_err err;
    struct lines warned = {""};
    const struct ft_prop *prop;

    (void)state;
    assert_int_equal(ini(c, text, "demo", &warned, &err), FT_OK);
    assert_true(ft_cfg_real(c, "replay.rate") == 5);
    assert_true(ft_config_has_profile(c));
    assert_int_equal(ft_cfg_props(c, &prop), 1);
    assert_string_equal(prop[0].name, "linger.ms");
    ft_config_free(c);

    c = fresh();
    assert_int_equal(ini(c, text, "none", &warned, &err), FT_OK);
    assert_true(ft_cfg_real(c, "replay.rate") == 50);
    assert_false(ft_config_has_profile(c));
    assert_string_equal(warned.text, "");
    ft_config_free(c);
}

static void the_environment_wins_over_files_and_the_command_line_over_it(void **state)
{
    char *const env[] = {"FRAUDTOP=/usr/bin/fraudtop",
                         "FRAUDTOP_REPLAY_RATE=20",
                         "FRAUDTOP_BROKERS=e:1",
                         "FRAUDTOP_CONNECT_TIMEOUT=30s",
                         "FRAUDTOP_THREADS=",
                         "FRAUDTOP_RTE=5",
                         "FRAUDTOP_THEME=light",
                         "PATH=/bin",
                         NULL};
    struct ft_config *c = fresh();
    struct ft_err err;
    struct lines warned = {""};
    const char *const *values;

    (void)state;
    assert_int_equal(ini(c, "[replay]\nrate = 10\nlimit = 3\n", NULL, &warned, &err), FT_OK);
    assert_int_equal(ft_config_env(c, env, keep, &warned, &err), FT_OK);
    assert_string_equal(warned.text,
                        "FRAUDTOP_RTE: there is no such setting; the nearest is FRAUDTOP_RATE\n");
    assert_true(ft_cfg_real(c, "replay.rate") == 20);
    assert_int_equal(ft_cfg_int(c, "replay.limit"), 3);
    assert_string_equal(ft_cfg_text(c, "service.brokers"), "e:1");
    assert_int_equal(ft_cfg_ms(c, "service.connect_timeout"), 30000);
    assert_string_equal(ft_cfg_text(c, "display.theme"), "light");
    assert_false(ft_cfg_is_set(c, "score.threads"));

    assert_int_equal(ft_config_set(c, "service.brokers", "c:1", "--brokers", &err), FT_OK);
    assert_int_equal(ft_config_set(c, "service.brokers", "d:1", "-b", &err), FT_OK);
    assert_string_equal(ft_cfg_text(c, "service.brokers"), "d:1"); /* the last one counts */
    assert_int_equal(ft_cfg_list(c, "service.brokers", &values), 2);
    assert_string_equal(ft_cfg_source(c, "service.brokers"), "-b");
    ft_config_free(c);
}

/* ---- near words ----------------------------------------------------------------------------------- */

static const char *next_word(void *user)
{
    static const char *const words[] = {"replay", "score", "sink", "evaluate", "explain"};
    size_t *i = user;

    return *i < 5 ? words[(*i)++] : NULL;
}

static const char *near(const char *word)
{
    size_t i = 0;
    const char *w = ft_nearest(word, next_word, &i);

    return w ? w : "none";
}

static void the_nearest_word(void **state)
{
    (void)state;
    assert_string_equal(near("repaly"), "replay");
    assert_string_equal(near("scor"), "score");
    assert_string_equal(near("evalute"), "evaluate");
    assert_string_equal(near("eval"), "evaluate");
    assert_string_equal(near("snik"), "sink");
    assert_string_equal(near("xyz"), "none");
    assert_string_equal(near(""), "none");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_sound),
        cmocka_unit_test(names_are_unique),
        cmocka_unit_test(values_are_read),
        cmocka_unit_test(bad_values_are_refused),
        cmocka_unit_test(passwords_are_refused),
        cmocka_unit_test(properties_are_merged_in_order),
        cmocka_unit_test(secret_names),
        cmocka_unit_test(sections_whole_keys_and_long_names),
        cmocka_unit_test(unknown_keys_are_warnings_with_the_nearest),
        cmocka_unit_test(wrong_values_name_file_line_and_what_is_allowed),
        cmocka_unit_test(a_profile_comes_after_the_rest_of_its_file),
        cmocka_unit_test(the_environment_wins_over_files_and_the_command_line_over_it),
        cmocka_unit_test(the_nearest_word),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
