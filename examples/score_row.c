/* Scores one row: score_row MODEL.cbm FEATURE=VALUE...     cc score_row.c $(pkg-config --cflags --libs fraudcore) */
#include <fraudcore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    static char bytes[64 << 20];
    FILE *f = argc > 1 ? fopen(argv[1], "rb") : NULL;
    size_t n = f ? fread(bytes, 1, sizeof(bytes), f) : 0;
    struct fc_err err = {"usage: score_row MODEL.cbm FEATURE=VALUE..."};
    struct fc_model *m = NULL;
    struct fc_scratch *s;
    double raw;

    if (!f || fc_model_load(&m, bytes, n, &err) != FC_OK || !(s = fc_scratch_new(m, 1))) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    for (int i = 2; i < argc; i++) { /* what is not put is missing */
        const char *value = argv[i] + strcspn(argv[i], "=");
        long feature = fc_model_find(m, argv[i], (size_t)(value - argv[i]));

        value += *value == '=';
        if (feature < 0)
            fprintf(stderr, "%s: the model has no such feature\n", argv[i]);
        else if (fc_model_feature(m, (size_t)feature)->kind == FC_CATEGORICAL)
            fc_put_cat(s, 0, (size_t)feature, value, strlen(value));
        else
            fc_put_num(s, 0, (size_t)feature, strtod(value, NULL));
    }
    fc_eval(m, s, 1, &raw);
    printf("%.17g %.17g\n", raw, fc_model_info(m)->is_probability ? fc_sigmoid(raw) : raw);
    fc_scratch_free(s);
    fc_model_free(m);
    return fclose(f);
}
