/* Messages laid out for people and for scripts. */
#include "ft_test.h"

#include "fraudtop/layout.h"

static const struct ft_layout people = {.indent = 2, .mask = true, .clean = true};
static const struct ft_layout scripts = {.mask = true};

static enum ft_status lay(const char *text, const struct ft_layout *how, char *out, size_t size)
{
    struct ft_buf b;
    struct ft_err err;
    enum ft_status st;

    ft_buf_init(&b, 1 << 20);
    st = ft_layout_json(&b, ft_span_of(text), how, &err);
    snprintf(out, size, "%s", st == FT_OK ? b.p : err.text);
    ft_buf_fini(&b);
    return st;
}

static void expect(const char *text, const struct ft_layout *how, const char *want)
{
    char out[1024];

    assert_int_equal(lay(text, how, out, sizeof(out)), FT_OK);
    assert_string_equal(out, want);
}

static void members_stand_on_lines_of_their_own(void **state)
{
    (void)state;
    expect("[{\"score\":0.10,\"fraud_flag\" : 0,\"e\":{},\"l\":[1,[ ],true]}]", &people,
           "[\n"
           "  {\n"
           "    \"score\": 0.10,\n"
           "    \"fraud_flag\": 0,\n"
           "    \"e\": {},\n"
           "    \"l\": [\n"
           "      1,\n"
           "      [],\n"
           "      true\n"
           "    ]\n"
           "  }\n"
           "]");
    expect(" { \"a\" : -1.50e+3 , \"b\" : null } ", &scripts, "{\"a\":-1.50e+3,\"b\":null}");
}

static void names_and_streets_are_masked_wherever_they_stand(void **state)
{
    const struct ft_layout open = {0};

    (void)state;
    expect("{\"data\":{\"name_1\":\"Celia\",\"name_2\":\"\",\"street\":\"1 Elm\\\" "
           "St\",\"merch\":\"m\"}}",
           &scripts,
           "{\"data\":{\"name_1\":\"***\",\"name_2\":\"\",\"street\":\"***\",\"merch\":\"m\"}}");
    expect("{\"name_1\":12,\"name_2\":null,\"street\":[\"1 Elm St\"]}", &scripts,
           "{\"name_1\":\"***\",\"name_2\":null,\"street\":[\"***\"]}");
    expect("{\"reasons\":[{\"feature\":\"street\",\"value\":\"1 Elm St\"},"
           "{\"feature\":\"amount\",\"value\":12}]}",
           &scripts,
           "{\"reasons\":[{\"feature\":\"street\",\"value\":\"***\"},"
           "{\"feature\":\"amount\",\"value\":12}]}");
    expect("{\"name_1\":\"Celia\"}", &open, "{\"name_1\":\"Celia\"}");
}

static void nothing_reaches_the_screen_that_moves_it(void **state)
{
    (void)state;
    expect("\"a\xC2\x9B"
           "31mb \xE2\x80\xAE c \xFF d \\u001b\"",
           &people, "\"a?31mb ? c ? d \\u001b\"");
    expect("\"\xFF\"", &scripts, "\"\xEF\xBF\xBD\"");
}

static void what_python_writes_is_read(void **state)
{
    (void)state;
    expect("[NaN,Infinity,-Infinity]", &scripts, "[null,null,null]");
    expect("NaN", &people, "NaN");
}

static void what_is_no_json_is_said(void **state)
{
    static const char *const bad[] = {
        "",       "{",          "[1,]",  "{\"a\":}", "{\"a\" 1}",   "007",  "1.",
        "- 1",    "1e",         "\"a",   "\"\\x\"",  "\"\\u12g0\"", "nul",  "{} {}",
        "\"\n\"", "{\"a\":1,}", "[1 2]", "{1:2}",    "]",           "1..2", "\"\\",
    };
    char out[1024];

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        if (lay(bad[i], &scripts, out, sizeof(out)) != FT_EINPUT)
            fail_msg("%s was taken", bad[i]);
    lay("{\"a\":x}", &scripts, out, sizeof(out));
    assert_string_equal(out, "not JSON from byte 5 on");
}

static void deep_nesting_ends(void **state)
{
    char text[400] = "", out[2000];

    (void)state;
    memset(text, '[', 64);
    memset(text + 64, ']', 64);
    assert_int_equal(lay(text, &scripts, out, sizeof(out)), FT_OK);
    memset(text, '[', 65);
    memset(text + 65, ']', 65);
    assert_int_equal(lay(text, &scripts, out, sizeof(out)), FT_EINPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_stand_on_lines_of_their_own),
        cmocka_unit_test(names_and_streets_are_masked_wherever_they_stand),
        cmocka_unit_test(nothing_reaches_the_screen_that_moves_it),
        cmocka_unit_test(what_python_writes_is_read),
        cmocka_unit_test(what_is_no_json_is_said),
        cmocka_unit_test(deep_nesting_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
