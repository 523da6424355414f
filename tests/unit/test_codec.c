#include "ft_test.h"

#include <cjson/cJSON.h>

#include "fraudtop/codec.h"
#include "fraudtop/csv.h"

#define ID "\"transaction_id\":\"b8a1abcd-1a69-46c7-8da4-f9fc3c6da5d7\""

static uint64_t next_random(uint64_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s;
}

static struct ft_cell cell(enum ft_cell_kind kind, const char *text)
{
    return (struct ft_cell){.p = text, .n = (uint32_t)strlen(text), .kind = (uint8_t)kind};
}

/* ---- writing -------------------------------------------------------------------------------------- */

static void check_written(const struct ft_txn *t, const char *want)
{
    struct ft_buf b;

    ft_buf_init(&b, FT_MSG_MAX);
    assert_true(ft_codec_write_txn(&b, t));
    assert_string_equal(b.p, want);
    ft_buf_fini(&b);
}

static void test_a_transaction_is_written(void **state)
{
    const struct ft_field extra[] = {
        {FT_SPAN("card \"no\""), {"4711", 4, FT_CELL_TEXT}   },
        {FT_SPAN("device"),      {NULL, 0, FT_CELL_MISSING}  },
        {FT_SPAN("tags"),        {"[1,2]", 5, FT_CELL_NESTED}},
    };
    struct ft_txn t = {.label = 1, .extra = extra, .n_extra = 3};

    (void)state;
    assert_true(ft_uuid_parse(&t.id, FT_SPAN("B8A1ABCD1A6946C78DA4F9FC3C6DA5D7")));
    t.col[FT_COL_MERCHANT_LON] = cell(FT_CELL_NUMBER, "-99.103183");
    t.col[FT_COL_TIME] = cell(FT_CELL_TEXT, "2019-09-14 02:46");
    t.col[FT_COL_MERCH] = cell(FT_CELL_TEXT, "Stokes, \"S\" and\tJos\xC3\xA9");
    t.col[FT_COL_AMOUNT] = cell(FT_CELL_NUMBER, "25.790");
    t.col[FT_COL_POST_CODE] = cell(FT_CELL_TEXT, "007");
    t.col[FT_COL_GENDER].kind = FT_CELL_MISSING;
    check_written(&t, "{" ID ",\"data\":{\"transaction_time\":\"2019-09-14 02:46\","
                      "\"merch\":\"Stokes, \\\"S\\\" and\\tJos\xC3\xA9\",\"amount\":25.790,"
                      "\"gender\":null,\"post_code\":\"007\",\"merchant_lon\":-99.103183,"
                      "\"card \\\"no\\\"\":\"4711\",\"device\":null,\"tags\":[1,2]},\"label\":1}");
}

static void test_nothing_but_an_id(void **state)
{
    const struct ft_field extra = {
        FT_SPAN("x"), {"1", 1, FT_CELL_TEXT}
    };
    struct ft_txn t = {.label = FT_LABEL_UNKNOWN};

    (void)state;
    assert_true(ft_uuid_parse(&t.id, FT_SPAN("b8a1abcd-1a69-46c7-8da4-f9fc3c6da5d7")));
    check_written(&t, "{" ID ",\"data\":{}}");
    t.extra = &extra;
    t.n_extra = 1;
    check_written(&t, "{" ID ",\"data\":{\"x\":\"1\"}}");
}

static void test_a_column_keeps_its_name(void **state)
{
    (void)state;
    for (int c = 0; c < FT_N_COLS; c++) {
        struct ft_txn t = {.label = FT_LABEL_UNKNOWN};
        struct ft_buf b;
        char want[64];

        t.col[c] = cell(FT_CELL_NUMBER, "1");
        snprintf(want, sizeof(want), "{\"%s\":1}", ft_col_name[c]);
        ft_buf_init(&b, FT_MSG_MAX);
        assert_true(ft_codec_write_data(&b, &t));
        assert_string_equal(b.p, want);
        ft_buf_fini(&b);
    }
}

static void test_no_room(void **state)
{
    struct ft_txn t = {.label = FT_LABEL_UNKNOWN};
    struct ft_buf b;

    (void)state;
    t.col[FT_COL_MERCH] = cell(FT_CELL_TEXT, "a name that is a little longer than the room");
    ft_buf_init(&b, 100);
    assert_false(ft_codec_write_txn(&b, &t));
    ft_buf_fini(&b);
}

/* ---- reading transactions ------------------------------------------------------------------------- */

static const char *const kind_name[] = {"absent", "-", "t", "n", "true", "false", "nested"};

/* What was read, as text: "label[column=kind text|...]". */
static char *describe(const struct ft_txn *t)
{
    struct ft_buf b;

    ft_buf_init(&b, 1u << 20);
    ft_buf_fmt(&b, "%d[", t->label);
    for (int c = 0; c < FT_N_COLS; c++)
        if (t->col[c].kind != FT_CELL_ABSENT)
            ft_buf_fmt(&b, "%s=%s %.*s|", ft_col_name[c], kind_name[t->col[c].kind],
                       (int)t->col[c].n, t->col[c].p);
    for (size_t i = 0; i < t->n_extra; i++)
        ft_buf_fmt(&b, "+%.*s=%s %.*s|", (int)t->extra[i].name.n, t->extra[i].name.p,
                   kind_name[t->extra[i].cell.kind], (int)t->extra[i].cell.n, t->extra[i].cell.p);
    ft_buf_char(&b, ']');
    return b.p;
}

static void check_read(const char *msg, const char *want)
{
    struct ft_codec *c = ft_codec_new();
    /* Exactly as long as the message, so that a look beyond it is caught. */
    size_t n = strlen(msg);
    char *copy = malloc(n + !n), *got;
    struct ft_txn t;
    struct ft_err err = {""};
    enum ft_status st;

    memcpy(copy, msg, n);
    st = ft_codec_read_txn(c, (struct ft_span){copy, n}, &t, &err);
    if (st != FT_OK) {
        assert_int_equal(st, FT_EINPUT);
        assert_string_equal(err.text, want);
    } else {
        got = describe(&t);
        assert_string_equal(got, want);
        free(got);
    }
    free(copy);
    ft_codec_free(c);
}

static void test_a_transaction_is_read(void **state)
{
    (void)state;
    check_read("{" ID ",\"data\":{\"transaction_time\":\"2019-09-14 02:46\",\"amount\":25.790}}",
               "-1[transaction_time=t 2019-09-14 02:46|amount=n 25.790|]");
    /* Any order, unknown members, blanks, text after a number's look. */
    check_read(" {\"x\":[1,{\"y\":null}],\"label\":1 ,\"data\" : { \"lon\":\"-1.5\" , \"merch\" "
               ": \"a\" , \"card\":\"4711\"},\n" ID "}\r\n",
               "1[merch=t a|lon=t -1.5|+card=t 4711|]");
    check_read("{" ID ",\"data\":{}}", "-1[]");
}

static void test_what_python_writes_for_nothing(void **state)
{
    (void)state;
    check_read("{" ID ",\"data\":{\"amount\":NaN,\"lat\":Infinity,\"lon\":-Infinity,\"merch\":null,"
               "\"jobs\":\"\",\"post_code\":76443.0,\"x\":NaN},\"label\":NaN}",
               "-1[merch=- |amount=- |post_code=n 76443.0|lat=- |lon=- |jobs=- |+x=- |]");
    check_read("{" ID ",\"data\":{\"x\":[1,NaN,\"NaN \\\" NaN\",{\"a\":-Infinity}]}}",
               "-1[+x=nested [1,null,\"NaN \\\" NaN\",{\"a\":null}]|]");
}

static void test_strings_are_unescaped(void **state)
{
    (void)state;
    check_read(
        "{" ID
        ",\"data\":{\"merch\":\"a\\\"b\\\\c\\/\\b\\f\\n\\r\\t\\u00e9\\u20AC\\ud83d\\udcb3z\","
        "\"\\u0061mount\":1,\"x\":true,\"y\":false}}",
        "-1[merch=t a\"b\\c/\b\f\n\r\t\xC3\xA9\xE2\x82\xAC\xF0\x9F\x92\xB3z|amount=n 1|"
        "+x=true true|+y=false false|]");
}

static void test_labels(void **state)
{
    static const struct {
        const char *json, *want;
    } cases[] = {
        {"0",     "0[]"                          },
        {"1",     "1[]"                          },
        {"1.0",   "1[]"                          },
        {"\"0\"", "0[]"                          },
        {"\"\"",  "-1[]"                         },
        {"null",  "-1[]"                         },
        {"true",  "1[]"                          },
        {"2",     "label: 2 is neither 0 nor 1"  },
        {"\"x\"", "label: x is neither 0 nor 1"  },
        {"[0]",   "label: [0] is neither 0 nor 1"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char msg[200];

        snprintf(msg, sizeof(msg), "{" ID ",\"data\":{},\"label\":%s}", cases[i].json);
        check_read(msg, cases[i].want);
    }
}

static void test_messages_that_are_none(void **state)
{
    static const struct {
        const char *msg, *why;
    } cases[] = {
        {"",                                        "not a JSON object"                                    },
        {"hello",                                   "not a JSON object"                                    },
        {"[]",                                      "not a JSON object"                                    },
        {"{\"data\":{}}",                           "no transaction_id"                                    },
        {"{" ID "}",                                "no data"                                              },
        {"{\"transaction_id\":7,\"data\":{}}",      "transaction_id: 7 is not a UUID"                      },
        {"{\"transaction_id\":\"x\",\"data\":{}}",  "transaction_id: x is not a UUID"                      },
        {"{" ID "," ID ",\"data\":{}}",             "transaction_id: comes twice"                          },
        {"{" ID ",\"data\":{\"lat\":1,\"lat\":2}}", "lat: comes twice"                                     },
        {"{" ID ",\"data\":{},\"data\":{}}",        "data: comes twice"                                    },
        {"{" ID ",\"data\":[]}",                    "data: not an object"                                  },
        {"{" ID ",\"data\":null}",                  "data: not an object"                                  },
        {"{" ID ",\"data\":{\"lat\":[1]}}",         "lat: neither a number nor a text"                     },
        {"{" ID ",\"data\":{}} x",                  "not JSON: text after the value (byte 68)"             },
        {"{" ID ",\"data\":{}}{}",                  "not JSON: text after the value (byte 67)"             },
        {"{" ID ",\"data\":{}",                     "not JSON: it ends inside an object or array (byte 66)"},
        {"{" ID ",\"data\":",                       "not JSON: no object (byte 64)"                        },
        {"{" ID ",\"data\":{\"lat\":007}}",
         "not JSON: neither a number nor a word of JSON (byte 71)"                                         },
        {"{" ID ",\"data\":{\"lat\":1.}}",
         "not JSON: neither a number nor a word of JSON (byte 71)"                                         },
        {"{" ID ",\"data\":{\"lat\":+1}}",
         "not JSON: neither a number nor a word of JSON (byte 71)"                                         },
        {"{" ID ",\"data\":{\"lat\":nan}}",
         "not JSON: neither a number nor a word of JSON (byte 71)"                                         },
        {"{" ID ",\"data\":{\"lat\":}}",            "not JSON: no value (byte 71)"                         },
        {"{" ID ",\"data\":{\"lat\":1,}}",          "not JSON: no name of a member (byte 73)"              },
        {"{" ID ",\"data\":{,}}",                   "not JSON: no name of a member (byte 65)"              },
        {"{" ID ",\"data\":{lat:1}}",               "not JSON: no name of a member (byte 65)"              },
        {"{" ID ",\"data\":{\"lat\" 1}}",
         "not JSON: no colon after the name of a member (byte 71)"                                         },
        {"{" ID " \"data\":{}}",                    "not JSON: no comma between values (byte 57)"          },
        {"{" ID ",\"data\":{\"x\":\"a\nb\"}}",
         "not JSON: a control character in a string (byte 71)"                                             },
        {"{" ID ",\"data\":{\"x\":\"a\\u0000\"}}",  "not JSON: a zero byte in a string (byte 73)"          },
        {"{" ID ",\"data\":{\"x\":\"\\ud83d\"}}",   "not JSON: half a surrogate pair (byte 76)"            },
        {"{" ID ",\"data\":{\"x\":\"\\udcb3\"}}",   "not JSON: half a surrogate pair (byte 76)"            },
        {"{" ID ",\"data\":{\"x\":\"\\x41\"}}",
         "not JSON: an unknown escape in a string (byte 71)"                                               },
        {"{" ID ",\"data\":{\"x\":\"\\u12\"}}",
         "not JSON: \\u without four hexadecimal digits (byte 72)"                                         },
        {"{" ID ",\"data\":{\"x\":\"Jos\xE9\"}}",   "not JSON: invalid UTF-8 in a string (byte 74)"        },
        {"{" ID ",\"data\":{\"x\":\"abc",           "not JSON: a string that is never closed (byte 73)"    },
        {"\xEF\xBB\xBF{}",                          "not a JSON object"                                    },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        check_read(cases[i].msg, cases[i].why);
}

static void test_bounds_of_messages(void **state)
{
    struct ft_codec *c = ft_codec_new();
    struct ft_txn t;
    struct ft_err err;
    char *p = malloc(FT_MSG_MAX + 1);
    char deep[200] = "{" ID ",\"data\":{},\"x\":";

    (void)state;
    memset(p, ' ', FT_MSG_MAX + 1);
    memcpy(p, "{" ID ",\"data\":{}}", 67);
    assert_int_equal(ft_codec_read_txn(c, (struct ft_span){p, FT_MSG_MAX}, &t, &err), FT_OK);
    assert_int_equal(ft_codec_read_txn(c, (struct ft_span){p, FT_MSG_MAX + 1}, &t, &err),
                     FT_EINPUT);
    assert_string_equal(err.text, "65537 bytes; at most 65536 are read");
    free(p);
    for (int i = 0; i < 31; i++)
        strcat(deep, "[");
    for (int i = 0; i < 31; i++)
        strcat(deep, "]");
    strcat(deep, "}");
    assert_int_equal(ft_codec_read_txn(c, ft_span_of(deep), &t, &err), FT_OK);
    memmove(strstr(deep, "]") + 1, strstr(deep, "]"), strlen(strstr(deep, "]")) + 1);
    memmove(strstr(deep, "[") + 1, strstr(deep, "["), strlen(strstr(deep, "[")) + 1);
    assert_int_equal(ft_codec_read_txn(c, ft_span_of(deep), &t, &err), FT_EINPUT);
    assert_non_null(strstr(err.text, "nested too deeply"));
    ft_codec_free(c);
}

static void test_many_extra_members(void **state)
{
    struct ft_codec *c = ft_codec_new();
    struct ft_txn t;
    struct ft_buf b;

    (void)state;
    ft_buf_init(&b, FT_MSG_MAX);
    ft_buf_text(&b, "{" ID ",\"data\":{\"x\":0");
    for (int i = 1; i < 3000; i++)
        ft_buf_fmt(&b, ",\"x%d\":%d", i, i);
    ft_buf_text(&b, "}}");
    assert_int_equal(ft_codec_read_txn(c, (struct ft_span){b.p, b.n}, &t, NULL), FT_OK);
    assert_int_equal(t.n_extra, 3000);
    assert_true(ft_span_is(t.extra[2999].name, "x2999"));
    assert_memory_equal(t.extra[2999].cell.p, "2999", 4);
    ft_buf_fini(&b);
    ft_codec_free(c);
}

/* Every line of a file of the Python pipeline's messages. */
static void each_line(const char *name, void (*take)(struct ft_span line, size_t number))
{
    char path[300], line[8192];
    size_t number = 0;
    FILE *f;

    snprintf(path, sizeof(path), FT_SOURCE_DIR "/tests/data/messages/%s", name);
    f = fopen(path, "r");
    assert_non_null(f);
    while (fgets(line, sizeof(line), f))
        take((struct ft_span){line, strcspn(line, "\n")}, number++);
    fclose(f);
    assert_true(number > 0);
}

static void read_python_txn(struct ft_span line, size_t number)
{
    struct ft_codec *c = ft_codec_new();
    struct ft_txn t;
    struct ft_err err = {""};

    if (ft_codec_read_txn(c, line, &t, &err) != FT_OK)
        fail_msg("line %zu: %s", number + 1, err.text);
    for (int k = 0; k < FT_N_COLS; k++)
        assert_int_not_equal(t.col[k].kind, FT_CELL_ABSENT);
    assert_int_equal(t.n_extra, 0);
    if (number == 0)
        assert_memory_equal(t.col[FT_COL_JOBS].p, "Chief Operating Officer", 23);
    ft_codec_free(c);
}

static void test_messages_of_the_python_sender(void **state)
{
    (void)state;
    each_line("transactions.jsonl", read_python_txn);
    each_line("transactions-with-gaps.jsonl", read_python_txn);
}

/* ---- there and back ------------------------------------------------------------------------------- */

static void check_same_cells(const struct ft_txn *a, const struct ft_txn *b)
{
    assert_memory_equal(&a->id, &b->id, sizeof(a->id));
    assert_int_equal(a->label, b->label);
    for (int c = 0; c < FT_N_COLS; c++) {
        assert_int_equal(a->col[c].kind, b->col[c].kind);
        assert_int_equal(a->col[c].n, b->col[c].n);
        if (a->col[c].n)
            assert_memory_equal(a->col[c].p, b->col[c].p, a->col[c].n);
    }
    assert_int_equal(a->n_extra, b->n_extra);
    for (size_t i = 0; i < a->n_extra; i++) {
        assert_true(ft_span_eq(a->extra[i].name, b->extra[i].name));
        assert_int_equal(a->extra[i].cell.kind, b->extra[i].cell.kind);
        assert_int_equal(a->extra[i].cell.n, b->extra[i].cell.n);
        if (a->extra[i].cell.n)
            assert_memory_equal(a->extra[i].cell.p, b->extra[i].cell.p, a->extra[i].cell.n);
    }
}

/* A cell as a CSV file would give it. */
static struct ft_cell random_cell(uint64_t *seed, char *text, bool number)
{
    static const char *const numbers[] = {"25.79", "007",   "-0",  "1e5", "inf",
                                          "1.",    "76443", "nan", ".5",  "12,5"};
    static const char *const chars[] = {"a",
                                        "Z",
                                        " ",
                                        "\"",
                                        "\\",
                                        "/",
                                        "\n",
                                        "\t",
                                        ",",
                                        "\x7F",
                                        "\x01",
                                        "\xC3\xA9",
                                        "\xE2\x82\xAC",
                                        "\xF0\x9F\x92\xB3"};
    struct ft_cell c = {.p = text, .kind = FT_CELL_TEXT};

    *text = '\0';
    if (number)
        strcpy(text, numbers[next_random(seed) % 10]);
    else
        for (uint64_t i = next_random(seed) % 20; i; i--)
            strcat(text, chars[next_random(seed) % 14]);
    c.n = (uint32_t)strlen(text);
    if (c.n == 0)
        c.kind = FT_CELL_MISSING;
    else if (number && ft_is_json_number((struct ft_span){text, c.n}))
        c.kind = FT_CELL_NUMBER;
    return c;
}

static void test_random_transactions_come_back(void **state)
{
    static char text[FT_N_COLS + 4][100];
    uint64_t seed = 20190914;
    struct ft_codec *codec = ft_codec_new();

    (void)state;
    for (int round = 0; round < 20000; round++) {
        struct ft_field extra[4] = {
            {FT_SPAN("a"),     {0}},
            {FT_SPAN("b c"),   {0}},
            {FT_SPAN("\"d\""), {0}},
            {FT_SPAN(""),      {0}}
        };
        struct ft_txn t = {.extra = extra, .n_extra = next_random(&seed) % 5}, back;
        struct ft_err err = {""};
        struct ft_buf b;

        t.label = (int8_t)(next_random(&seed) % 3) - 1;
        for (int i = 0; i < 16; i++)
            t.id.b[i] = (uint8_t)next_random(&seed);
        for (int c = 0; c < FT_N_COLS; c++)
            if (next_random(&seed) % 5)
                t.col[c] = random_cell(&seed, text[c], ft_col_is_number((enum ft_col)c));
        for (size_t i = 0; i < t.n_extra; i++)
            extra[i].cell = random_cell(&seed, text[FT_N_COLS + i], false);
        ft_buf_init(&b, FT_MSG_MAX);
        assert_true(ft_codec_write_txn(&b, &t));
        if (ft_codec_read_txn(codec, (struct ft_span){b.p, b.n}, &back, &err) != FT_OK)
            fail_msg("%s: %s", b.p, err.text);
        check_same_cells(&t, &back);
        ft_buf_fini(&b);
    }
    ft_codec_free(codec);
}

/* ---- cJSON as a second opinion -------------------------------------------------------------------- */

static void check_with_cjson(const struct ft_cell *c, const cJSON *item)
{
    double v;

    assert_non_null(item);
    switch (c->kind) {
    case FT_CELL_TEXT:
        assert_true(cJSON_IsString(item));
        assert_int_equal(strlen(item->valuestring), c->n);
        assert_memory_equal(item->valuestring, c->p, c->n);
        break;
    case FT_CELL_NUMBER:
        assert_true(cJSON_IsNumber(item));
        assert_true(ft_parse_double((struct ft_span){c->p, c->n}, &v));
        assert_near(item->valuedouble, v, 0);
        break;
    case FT_CELL_TRUE:
        assert_true(cJSON_IsTrue(item));
        break;
    case FT_CELL_FALSE:
        assert_true(cJSON_IsFalse(item));
        break;
    case FT_CELL_NESTED:
        assert_true(cJSON_IsArray(item) || cJSON_IsObject(item));
        break;
    default:
        assert_true(cJSON_IsNull(item) || (cJSON_IsString(item) && !*item->valuestring));
    }
}

/* Random members, some of them broken: what both take, both understand alike; what cJSON refuses, so do we. */
static void test_cjson_agrees(void **state)
{
    static const char *const values[] = {"1",
                                         "-2.5",
                                         "1e3",
                                         "\"text\"",
                                         "\"\\u00e9\\n\"",
                                         "null",
                                         "true",
                                         "false",
                                         "[1,\"a\",{}]",
                                         "{}",
                                         "\"\\ud83d\\udcb3\"",
                                         "0",
                                         "\"\"",
                                         "1e",
                                         "\"open",
                                         "tru",
                                         "[1,]",
                                         "{\"a\"}",
                                         "\"\\q\"",
                                         "-",
                                         "]"};
    struct ft_codec *codec = ft_codec_new();
    uint64_t seed = 4711;
    int both = 0, neither = 0;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        struct ft_buf b;
        struct ft_txn t;
        cJSON *tree;
        enum ft_status st;

        ft_buf_init(&b, FT_MSG_MAX);
        ft_buf_text(&b, "{" ID ",\"data\":{");
        for (uint64_t i = 0, n = next_random(&seed) % 6; i < n; i++)
            ft_buf_fmt(&b, "%s \"x%d\" : %s", i ? " ," : "", (int)i,
                       values[next_random(&seed) % (next_random(&seed) % 4 ? 13 : 21)]);
        ft_buf_text(&b, "}}");
        st = ft_codec_read_txn(codec, (struct ft_span){b.p, b.n}, &t, NULL);
        tree = cJSON_ParseWithLengthOpts(b.p, b.n + 1, NULL, 1);
        if ((st == FT_OK) != (tree != NULL))
            fail_msg("only one takes %s", b.p);
        both += tree != NULL;
        neither += tree == NULL;
        for (size_t i = 0; st == FT_OK && i < t.n_extra; i++) {
            char name[8];

            snprintf(name, sizeof(name), "%.*s", (int)t.extra[i].name.n, t.extra[i].name.p);
            check_with_cjson(&t.extra[i].cell,
                             cJSON_GetObjectItemCaseSensitive(
                                 cJSON_GetObjectItemCaseSensitive(tree, "data"), name));
        }
        cJSON_Delete(tree);
        ft_buf_fini(&b);
    }
    assert_true(both > 5000 && neither > 2000);
    ft_codec_free(codec);
}

/* ---- verdicts ------------------------------------------------------------------------------------- */

static void good(void *user, const struct ft_verdict *v)
{
    struct ft_buf *b = user;
    char id[FT_UUID_TEXT + 1];

    ft_uuid_format(&v->id, id);
    ft_buf_fmt(b, "%.4s %.17g %d", id, v->score, v->flag);
    if (v->label >= 0)
        ft_buf_fmt(b, " label %d", v->label);
    if (v->sampled)
        ft_buf_text(b, " sampled");
    if (v->has_threshold)
        ft_buf_fmt(b, " threshold %g", v->threshold);
    if (v->model.n)
        ft_buf_fmt(b, " model %.*s", (int)v->model.n, v->model.p);
    if (v->amount.n)
        ft_buf_fmt(b, " amount %.*s", (int)v->amount.n, v->amount.p);
    if (v->reasons_json.n)
        ft_buf_fmt(b, " reasons %.*s", (int)v->reasons_json.n, v->reasons_json.p);
    if (v->data_json.n)
        ft_buf_fmt(b, " data %.*s", (int)v->data_json.n, v->data_json.p);
    if (v->history_json.n)
        ft_buf_fmt(b, " history %.*s", (int)v->history_json.n, v->history_json.p);
    if (v->usual_json.n)
        ft_buf_fmt(b, " usual %.*s", (int)v->usual_json.n, v->usual_json.p);
    if (v->features_json.n)
        ft_buf_fmt(b, " features %.*s", (int)v->features_json.n, v->features_json.p);
    if (v->challenger_json.n)
        ft_buf_fmt(b, " challenger %.*s", (int)v->challenger_json.n, v->challenger_json.p);
    ft_buf_text(b, ";");
}

static void bad(void *user, struct ft_span element, const char *reason)
{
    ft_buf_fmt(user, "!%s {%.*s};", reason, (int)element.n, element.p);
}

static char *read_verdicts(struct ft_span msg)
{
    struct ft_codec *c = ft_codec_new();
    struct ft_buf b;
    struct ft_codec_verdict_cb cb = {good, bad, &b};
    struct ft_err err;
    char *copy = malloc(msg.n + !msg.n);

    memcpy(copy, msg.p, msg.n);
    ft_buf_init(&b, 1u << 20);
    ft_buf_text(&b, "");
    if (ft_codec_read_verdicts(c, (struct ft_span){copy, msg.n}, &cb, &err) != FT_OK) {
        assert_int_equal(b.n, 0);
        ft_buf_text(&b, err.text);
    }
    free(copy);
    ft_codec_free(c);
    return b.p;
}

static void check_verdicts(const char *msg, const char *want)
{
    char *got = read_verdicts(ft_span_of(msg));

    assert_string_equal(got, want);
    free(got);
}

static void test_three_forms_of_a_verdict(void **state)
{
    (void)state;
    check_verdicts("[{\"score\":0.0170922729,\"fraud_flag\":0," ID "}]", "b8a1 0.0170922729 0;");
    check_verdicts("{\"fraud_flag\":1," ID ",\"score\":0.5}", "b8a1 0.5 1;");
    check_verdicts("[\"B8A1ABCD1A6946C78DA4F9FC3C6DA5D7\",0.25,1]", "b8a1 0.25 1;");
    check_verdicts(" [ \"b8a1abcd-1a69-46c7-8da4-f9fc3c6da5d7\" , \"1e-05\" , \"0\" ] ",
                   "b8a1 1.0000000000000001e-05 0;");
    check_verdicts("[{" ID ",\"score\":\"0.5\",\"fraud_flag\":1.0},{" ID
                   ",\"score\":-3,\"fraud_flag\":false}]",
                   "b8a1 0.5 1;b8a1 -3 0;");
}

static void test_what_comes_with_a_verdict(void **state)
{
    (void)state;
    check_verdicts(
        "[{" ID ",\"score\":0.5,\"fraud_flag\":1,\"model\":\"seed-004 1\",\"amount\":25.790,"
        "\"label\":1,\"threshold\":0.25,\"sampled\":true,\"reasons\":[{\"feature\":\"a\"}],"
        "\"data\":{\"lat\":NaN,\"merch\":\"NaN\"},\"history\":[],\"usual\":{\"n\":1},"
        "\"features\":{\"hour\":2},\"challenger\":{\"model\":\"b\",\"score\":0.1},"
        "\"new\":{\"a\":[]}}]",
        "b8a1 0.5 1 label 1 sampled threshold 0.25 model seed-004 1 amount 25.790 "
        "reasons [{\"feature\":\"a\"}] data {\"lat\":null,\"merch\":\"NaN\"} history [] "
        "usual {\"n\":1} features {\"hour\":2} challenger {\"model\":\"b\",\"score\":0.1};");
    /* The same names with other types are somebody else's. */
    check_verdicts("{" ID
                   ",\"score\":0.5,\"fraud_flag\":1,\"model\":7,\"amount\":null,\"label\":null,"
                   "\"threshold\":\"x\",\"sampled\":1,\"reasons\":{},\"data\":[],\"history\":0}",
                   "b8a1 0.5 1;");
}

static void test_bad_elements_do_not_cost_the_good(void **state)
{
    (void)state;
    check_verdicts("[{\"score\":1},{" ID ",\"score\":0.5,\"fraud_flag\":1},7,\"x\",null,[1]]",
                   "!no transaction_id {{\"score\":1}};b8a1 0.5 1;"
                   "!neither an object nor an array {7};!neither an object nor an array {\"x\"};"
                   "!neither an object nor an array {null};!transaction_id: not a UUID {[1]};");
    check_verdicts("{" ID ",\"score\":NaN,\"fraud_flag\":1}",
                   "!score: not a number {{" ID ",\"score\":NaN,\"fraud_flag\":1}};");
    check_verdicts("{" ID ",\"score\":1e999,\"fraud_flag\":1}",
                   "!score: not finite {{" ID ",\"score\":1e999,\"fraud_flag\":1}};");
    check_verdicts("{" ID ",\"score\":1,\"fraud_flag\":2}",
                   "!fraud_flag: neither 0 nor 1 {{" ID ",\"score\":1,\"fraud_flag\":2}};");
    check_verdicts("{" ID ",\"score\":1,\"score\":2,\"fraud_flag\":0}",
                   "!score: comes twice {{" ID ",\"score\":1,\"score\":2,\"fraud_flag\":0}};");
    check_verdicts("[\"b8a1abcd-1a69-46c7-8da4-f9fc3c6da5d7\",1]",
                   "!an array that is not [id, score, flag] "
                   "{[\"b8a1abcd-1a69-46c7-8da4-f9fc3c6da5d7\",1]};");
}

static void test_verdict_messages_that_are_none(void **state)
{
    (void)state;
    check_verdicts("", "not JSON: it ends where a value should be (byte 0)");
    check_verdicts("[]", "an empty array");
    check_verdicts("7", "neither an object nor an array");
    check_verdicts("\"x\"", "neither an object nor an array");
    /* Nothing is taken from a message that is broken behind its first verdict. */
    check_verdicts("[{" ID ",\"score\":0.5,\"fraud_flag\":1},{]",
                   "not JSON: no name of a member (byte 87)");
}

static void read_python_verdict(struct ft_span line, size_t number)
{
    char *got = read_verdicts(line);

    if (*got == '!' || strncmp(got, "not", 3) == 0)
        fail_msg("line %zu: %s", number + 1, got);
    if (number == 1)
        assert_string_equal(got, "1710 7.5506799999999993e-05 0;");
    free(got);
}

static void test_verdicts_of_the_python_detector(void **state)
{
    (void)state;
    each_line("scoring.jsonl", read_python_verdict);
}

static void test_a_verdict_is_written(void **state)
{
    struct ft_verdict v = {.score = 0.1, .flag = 0, .label = FT_LABEL_UNKNOWN};
    struct ft_buf b;

    (void)state;
    ft_buf_init(&b, FT_MSG_MAX);
    assert_true(ft_uuid_parse(&v.id, FT_SPAN("b8a1abcd-1a69-46c7-8da4-f9fc3c6da5d7")));
    assert_true(ft_codec_write_verdict(&b, &v));
    assert_string_equal(b.p, "[{\"score\":0.10000000000000001,\"fraud_flag\":0," ID "}]");
    ft_buf_clear(&b);
    v = (struct ft_verdict){.id = v.id,
                            .score = 0.75,
                            .flag = 1,
                            .label = 0,
                            .sampled = true,
                            .has_threshold = true,
                            .threshold = 0.5,
                            .model = FT_SPAN("seed-004 1"),
                            .amount = FT_SPAN("007"),
                            .reasons_json = FT_SPAN("[]"),
                            .data_json = FT_SPAN("{}"),
                            .challenger_json = FT_SPAN("{\"score\":1}")};
    assert_true(ft_codec_write_verdict(&b, &v));
    assert_string_equal(b.p, "[{\"score\":0.75,\"fraud_flag\":1," ID ",\"model\":\"seed-004 1\","
                             "\"amount\":\"007\",\"label\":0,\"challenger\":{\"score\":1},"
                             "\"threshold\":0.5,\"reasons\":[],\"data\":{},\"sampled\":true}]");
    ft_buf_fini(&b);
}

static void same_score(void *user, const struct ft_verdict *v)
{
    assert_memory_equal(user, &v->score, sizeof(v->score));
}

static void no_bad(void *user, struct ft_span element, const char *reason)
{
    (void)user;
    fail_msg("%s: %.*s", reason, (int)element.n, element.p);
}

static void test_scores_come_back_to_the_last_bit(void **state)
{
    struct ft_codec *c = ft_codec_new();
    uint64_t seed = 3;
    struct ft_buf b;

    (void)state;
    ft_buf_init(&b, FT_MSG_MAX);
    for (int i = 0; i < 20000; i++) {
        struct ft_verdict v = {.flag = 1, .label = FT_LABEL_UNKNOWN};
        struct ft_codec_verdict_cb cb = {same_score, no_bad, &v.score};
        uint64_t bits = next_random(&seed);

        memcpy(&v.score, &bits, sizeof(bits));
        if (i % 2)
            v.score = (double)(bits >> 11) * 0x1p-53;
        if (!isfinite(v.score))
            continue;
        ft_buf_clear(&b);
        assert_true(ft_codec_write_verdict(&b, &v));
        assert_int_equal(ft_codec_read_verdicts(c, (struct ft_span){b.p, b.n}, &cb, NULL), FT_OK);
    }
    ft_buf_fini(&b);
    ft_codec_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_transaction_is_written),
        cmocka_unit_test(test_nothing_but_an_id),
        cmocka_unit_test(test_a_column_keeps_its_name),
        cmocka_unit_test(test_no_room),
        cmocka_unit_test(test_a_transaction_is_read),
        cmocka_unit_test(test_what_python_writes_for_nothing),
        cmocka_unit_test(test_strings_are_unescaped),
        cmocka_unit_test(test_labels),
        cmocka_unit_test(test_messages_that_are_none),
        cmocka_unit_test(test_bounds_of_messages),
        cmocka_unit_test(test_many_extra_members),
        cmocka_unit_test(test_messages_of_the_python_sender),
        cmocka_unit_test(test_random_transactions_come_back),
        cmocka_unit_test(test_cjson_agrees),
        cmocka_unit_test(test_three_forms_of_a_verdict),
        cmocka_unit_test(test_what_comes_with_a_verdict),
        cmocka_unit_test(test_bad_elements_do_not_cost_the_good),
        cmocka_unit_test(test_verdict_messages_that_are_none),
        cmocka_unit_test(test_verdicts_of_the_python_detector),
        cmocka_unit_test(test_a_verdict_is_written),
        cmocka_unit_test(test_scores_come_back_to_the_last_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
