/* What reasons say of a customer's past: every feature has words, whether there is a past or not. */
#include "state_case.h"

#include "../src/core/score.h"
#include "../src/core/state.h"

static const char *words_of(const struct state_case *c, const char *name, const char *category)
{
    static char out[96];
    const struct ft_stage *g = &c->s->stage[1];

    for (size_t f = 0; f < g->n_features; f++)
        if (strcmp(g->feature[f].name, name) == 0) {
            ft_past_words(c->s, &g->feature[f], &c->x->past[0], case_value(c, name),
                          ft_span_of(category), out, sizeof(out));
            return out;
        }
    fail_msg("there is no feature %s", name);
    return NULL;
}

struct said {
    const char *feature, *words;
};

static void says(const struct state_case *c, const struct said *said, size_t n)
{
    size_t state_features = 0;

    for (size_t f = 0; f < c->s->stage[1].n_features; f++)
        state_features += c->s->stage[1].feature[f].make == FT_MAKE_STATE;
    assert_int_equal(n, state_features); /* none is left out below */
    for (size_t i = 0; i < n; i++)
        if (strcmp(words_of(c, said[i].feature, "misc_net"), said[i].words) != 0)
            fail_msg("%s: \"%s\", not \"%s\"", said[i].feature,
                     words_of(c, said[i].feature, "misc_net"), said[i].words);
}

static void the_first_transaction_has_words(void **state)
{
    static const struct case_row row = {"2020-03-02 12:00", "20", "misc_net", "a", 0};
    static const struct said said[] = {
        {"n_1h",         "1st in 1 h"                    },
        {"n_24h",        "1st in 24 h"                   },
        {"n_7d",         "1st in 7 d"                    },
        {"n_today",      "1st today"                     },
        {"sum_24h",      "nothing spent before in 24 h"  },
        {"max_24h",      "none before in 24 h"           },
        {"min_24h",      "none before in 24 h"           },
        {"mean_24h",     "none before in 24 h"           },
        {"sum_today",    "nothing spent before today"    },
        {"max_today",    "none before today"             },
        {"nights_24h",   "none at night before in 24 h"  },
        {"same_24h",     "1st of its category in 24 h"   },
        {"rate_24h",     "first of this customer"        },
        {"n",            "first of this customer"        },
        {"sum",          "first of this customer"        },
        {"mean",         "first of this customer"        },
        {"std",          "first of this customer"        },
        {"max",          "first of this customer"        },
        {"nights",       "first of this customer"        },
        {"night_share",  "first of this customer"        },
        {"since",        "first of this customer"        },
        {"age",          "first of this customer"        },
        {"n_category",   "first in misc_net"             },
        {"log_category", "first in misc_net"             },
        {"distinct",     "first of this customer"        },
        {"vs_mean",      "first of this customer"        },
        {"vs_max",       "first of this customer"        },
        {"vs_category",  "first in misc_net"             },
        {"deviation",    "first of this customer"        },
        {"s_last",       "first of this customer"        },
        {"s_ewma",       "first of this customer"        },
        {"s_max_24h",    "none before in 24 h"           },
        {"s_min_24h",    "none before in 24 h"           },
        {"s_mean_24h",   "none before in 24 h"           },
        {"s_max_today",  "none before today"             },
        {"s_above_24h",  "none suspicious before in 24 h"},
    };
    struct state_case c = case_new(CASE_MANIFEST);

    (void)state;
    case_live(&c, &row);
    says(&c, said, sizeof(said) / sizeof(*said));
    case_free(&c);
}

static void a_later_transaction_has_words(void **state)
{
    static const struct case_row row[] = {
        {"2020-02-01 23:00", "50",  "travel",   "a", -5},
        {"2020-03-02 11:30", "20",  "misc_net", "a", 0 },
        {"2020-03-02 11:50", "80",  "misc_net", "a", 1 },
        {"2020-03-02 12:00", "100", "misc_net", "a", 2 },
    };
    static const struct said said[] = {
        {"n_1h",         "3rd in 1 h"                   },
        {"n_24h",        "3rd in 24 h"                  },
        {"n_7d",         "3rd in 7 d"                   },
        {"n_today",      "3rd today"                    },
        {"sum_24h",      "100.00 spent before in 24 h"  },
        {"max_24h",      "largest before 80.00 in 24 h" },
        {"min_24h",      "smallest before 20.00 in 24 h"},
        {"mean_24h",     "2.0 x usual in 24 h"          },
        {"sum_today",    "100.00 spent before today"    },
        {"max_today",    "largest before 80.00 today"   },
        {"nights_24h",   "none at night before in 24 h" },
        {"same_24h",     "3rd of its category in 24 h"  },
        {"rate_24h",     "19.7 x the usual rate in 24 h"}, /* 2 against 3 in 29.5 days */
        {"n",            "4th ever"                     },
        {"sum",          "150.00 spent before ever"     },
        {"mean",         "2.0 x usual"                  },
        {"std",          "2.0 x usual"                  },
        {"max",          "largest before 80.00 ever"    },
        {"nights",       "1 at night before ever"       },
        {"night_share",  "33 % at night usually"        },
        {"since",        "10 min after the last"        },
        {"age",          "known for 29 d"               },
        {"n_category",   "2 before in misc_net"         },
        {"log_category", "2 before in misc_net"         },
        {"distinct",     "2 categories before"          },
        {"vs_mean",      "2.0 x usual"                  },
        {"vs_max",       "1.2 x the largest before"     },
        {"vs_category",  "2.5 x usual in its category"  },
        {"deviation",    "2.0 x usual"                  },
        {"s_last",       "the one before 73 %"          },
        {"s_ewma",       "lately 10 %"                  },
        {"s_max_24h",    "up to 73 % in 24 h"           },
        {"s_min_24h",    "from 50 % in 24 h"            },
        {"s_mean_24h",   "mean 62 % in 24 h"            },
        {"s_max_today",  "up to 73 % today"             },
        {"s_above_24h",  "2 suspicious before in 24 h"  },
    };
    struct state_case c = case_new(CASE_MANIFEST);

    (void)state;
    for (int i = 0; i < 4; i++)
        case_live(&c, &row[i]);
    says(&c, said, sizeof(said) / sizeof(*said));
    case_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_transaction_has_words),
        cmocka_unit_test(a_later_transaction_has_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
