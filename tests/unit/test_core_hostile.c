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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mutated_files_are_refused_or_scored),
        cmocka_unit_test(files_cut_anywhere_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
