/* The hashes of categories: every branch of CityHash64 1.0 (catboost-model, section 6.5). */
#include "fraudcore.h"
#include "ft_test.h"

static const struct {
    const char *unit;
    int times;
    const char *end;
    uint64_t city;
    int32_t category;
} known[] = {
    {"",                  0,   "",  UINT64_C(0x9ae16a3b2f90404f), 797982799  },
    {"a",                 1,   "",  UINT64_C(0x2420662cd003acfa), -805065478 },
    {"1",                 1,   "",  UINT64_C(0x9e64c1ce42d650f1), 1121341681 },
    {"-1",                1,   "",  UINT64_C(0x9e2b5d60112f17a6), 288298918  },
    {"abc",               1,   "",  UINT64_C(0x3a912f483a4ece31), 978243121  },
    {"abcd",              1,   "",  UINT64_C(0xf75a3b8a1499428d), 345588365  },
    {"abcdefgh",          1,   "",  UINT64_C(0x4382a8d0fe8edb17), -24192233  },
    {"abcdefghi",         1,   "",  UINT64_C(0x66c7fa4eb3fab8d1), -1275414319},
    {"grocery_pos",       1,   "",  UINT64_C(0xee6c6b8e3e4ed515), 1045353749 },
    {"0123456789abcdef",  1,   "",  UINT64_C(0x099d21e99dac3317), -1649659113},
    {"0123456789abcdefg", 1,   "",  UINT64_C(0x0affc467e579303a), -445042630 },
    {"x",                 32,  "",  UINT64_C(0xc2ffc1092798337f), 664286079  },
    {"x",                 33,  "",  UINT64_C(0x83d2f4e954e9c837), 1424607287 },
    {"yz",                32,  "",  UINT64_C(0x638edd1b73a92d20), 1940466976 },
    {"yz",                32,  "w", UINT64_C(0x058365f69b90a708), -1685018872},
    {"x",                 200, "",  UINT64_C(0x876d2ee529486f3e), 692612926  },
    {"Москва",      1,   "",  UINT64_C(0xf936fb63da67bc76), -630735754 },
    {"日本",            1,   "",  UINT64_C(0x2becd5e8924ea8e1), -1840338719},
};

static void texts_hash_as_catboost_hashes_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        char text[256] = "";

        for (int k = 0; k < known[i].times; k++)
            strcat(text, known[i].unit);
        strcat(text, known[i].end);
        assert_true(fc_city_hash64(text, strlen(text)) == known[i].city);
        assert_int_equal(fc_cat_hash(text, strlen(text)), known[i].category);
    }
}

static void the_sigmoid_is_a_probability_even_far_out(void **state)
{
    (void)state;
    assert_near(fc_sigmoid(0), 0.5, 0);
    assert_near(fc_sigmoid(-800), 0, 0);
    assert_near(fc_sigmoid(800), 1, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_hash_as_catboost_hashes_them),
        cmocka_unit_test(the_sigmoid_is_a_probability_even_far_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
