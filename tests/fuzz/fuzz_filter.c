/* Filter expressions: no text may crash the parser; what it takes keeps its limits, what it refuses is inside the text. */
#include <stdlib.h>
#include <string.h>

#include "fraudtop/filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct ft_flagged row = {.score = 0.9,
                                      .amount = "388.05",
                                      .merchant = "Huels-Nolan",
                                      .category = "grocery_pos",
                                      .city = "Falconer",
                                      .state = "NY",
                                      .event = "2020-02-23 03:12:39",
                                      .status = 'o',
                                      .label = -1};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    struct ft_filter f;
    struct ft_err err;
    size_t at = 0;

    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    for (int masked = 0; masked < 2; masked++) {
        if (ft_filter_parse(&f, text, masked, &at, &err) != FT_OK) {
            if (at > strlen(text) || f.n != 0)
                abort();
            continue;
        }
        if (f.n > FT_FILTER_TERMS)
            abort();
        for (size_t i = 0; i < f.n; i++)
            if (f.term[i].n == 0 || f.term[i].n > FT_FILTER_VALUES ||
                f.term[i].field >= FT_N_FIELDS)
                abort();
        (void)ft_filter_match(&f, &row, 1600000000000, masked);
    }
    free(text);
    return 0;
}
