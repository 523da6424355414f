/* Files that were damaged or made to harm: thousands of mutations of every vector, each refused or scored, never a crash. */
#include "core_try.h"
#include "vectors.h"

static uint64_t seed = UINT64_C(0x9E3779B97F4A7C15);

static uint32_t below(uint32_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 33) % n;
}

/* Changes a few bytes: flips, extremes, a number of 32 bits, a stretch from elsewhere; sometimes cuts the end off. */
static size_t mutate(unsigned char *p, size_t n)
{
    static const uint32_t extremes[] = {0,      1,      0x7F,       0x80,       0xFF,
                                        0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF};

    for (uint32_t k = 1 + below(4); k; k--) {
        size_t at = below((uint32_t)n - 8), from = below((uint32_t)n - 8);
        uint32_t v = extremes[below(10)];

        switch (below(5)) {
        case 0:
            p[at] = (unsigned char)(p[at] ^ 1U << below(8));
            break;
        case 1:
            p[at] = (unsigned char)v;
            break;
        case 2:
            memcpy(p + at, &v, 4);
            break;
        case 3:
            memmove(p + at, p + from, 1 + below(8));
            break;
        default:
            p[at] = (unsigned char)(p[at] + below(3) - 1);
        }
    }
    return below(20) == 0 ? below((uint32_t)n) : n;
}

static void mutate_file(const char *path, int times, int *taken, int *refused)
{
    size_t n;
    char *bytes = vectors_file(path, &n);
    unsigned char *copy;

    if (!bytes) /* not every case has both forms */
        return;
    copy = malloc(n + 1);
    assert_non_null(copy);
    for (int i = 0; i < times; i++) {
        enum fc_status st;

        memcpy(copy, bytes, n);
        st = core_try(copy, mutate(copy, n));
        assert_true(st == FC_OK || st == FC_EFORMAT || st == FC_EUNSUPPORTED);
        *(st == FC_OK ? taken : refused) += 1;
    }
    free(copy);
    free(bytes);
}

static void mutated_files_are_refused_or_scored(void **state)
{
    const cJSON *cases = cJSON_GetObjectItem(vectors_manifest(), "cases"), *c;
    int taken = 0, refused = 0;

    (void)state;
    cJSON_ArrayForEach(c, cases)
    {
        char path[512];

        snprintf(path, sizeof(path), VECTORS "%s/model.cbm", vectors_text(c, "name"));
        mutate_file(path, 100, &taken, &refused);
        snprintf(path, sizeof(path), VECTORS "%s/model.json", vectors_text(c, "name"));
        mutate_file(path, 15, &taken, &refused);
    }
    print_message("%d taken, %d refused\n", taken, refused);
    assert_true(taken > 500 && refused > 500);
}

static void files_cut_anywhere_are_refused(void **state)
{
    static const char *const files[] = {VECTORS "ctr_default/model.cbm",
                                        VECTORS "float_only/model.cbm",
                                        VECTORS "nan_min/model.json"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        size_t n;
        char *bytes = vectors_file(files[i], &n);

        for (size_t cut = 0; cut < n; cut += 1 + cut / 50)
            assert_int_equal(core_try(bytes, cut), FC_EFORMAT);
        free(bytes);
    }
}

static void a_text_that_is_no_json_is_told_as_that(void **state)
{
    static const struct {
        const char *text, *reason;
    } cases[] = {
        {"{\"a\":1",               "at byte 6 of 6: the file is cut short"},
        {"{\"a\":1} x",            "more text behind it, at byte 8 of 9"  },
        {"{\"a\":tru}",            "at byte 8 of 9"                       },
        {"{\"a\":\"\\x\"}",        "at byte 7 of 10"                      },
        {"{\"a\":\"\\ud800\"}",    "no JSON at byte 12 of 14"             },
        {"{\"a\" 1}",              "at byte 5 of 7"                       },
        {"{\"a\":[1,]}",           "at byte 8 of 10"                      },
        {"{\"a\":\"\\u00e9\"}",    "features_info: missing"               },
        {"\xEF\xBB\xBF {\"a\":1}", "features_info: missing"               },
    };
    char deep[4096];
    struct fc_err err;
    struct fc_model *m;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(fc_model_load(&m, cases[i].text, strlen(cases[i].text), &err), FC_EFORMAT);
        if (!strstr(err.text, cases[i].reason))
            fail_msg("%s: %s", cases[i].text, err.text);
    }
    memcpy(deep, "{\"a\":", 5);
    memset(deep + 5, '[', 2000);
    memset(deep + 2005, ']', 2000);
    deep[4005] = '}';
    assert_int_equal(fc_model_load(&m, deep, 4006, &err), FC_EFORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mutated_files_are_refused_or_scored),
        cmocka_unit_test(files_cut_anywhere_are_refused),
        cmocka_unit_test(a_text_that_is_no_json_is_told_as_that),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
