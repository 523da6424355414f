#include <stdarg.h>
#include <stdio.h>

#include "model.h"

const char *const fc_ctr_type_name[FC_N_CTR_TYPES] = {
    [FC_CTR_BORDERS] = "Borders",
    [FC_CTR_BUCKETS] = "Buckets",
    [FC_CTR_BINARIZED_MEAN] = "BinarizedTargetMeanValue",
    [FC_CTR_FLOAT_MEAN] = "FloatTargetMeanValue",
    [FC_CTR_COUNTER] = "Counter",
    [FC_CTR_FEATURE_FREQ] = "FeatureFreq",
};

bool fc_ctr_is_mean(int32_t type)
{
    return type == FC_CTR_BINARIZED_MEAN || type == FC_CTR_FLOAT_MEAN;
}

bool fc_ctr_is_count(int32_t type)
{
    return type == FC_CTR_COUNTER || type == FC_CTR_FEATURE_FREQ;
}

enum fc_status fc_fail(struct fc_err *err, enum fc_status st, const char *fmt, ...)
{
    va_list args;

    if (err) {
        va_start(args, fmt);
        vsnprintf(err->text, sizeof(err->text), fmt, args);
        va_end(args);
    }
    return st;
}

enum fc_status fc_no_memory(struct fc_err *err)
{
    return fc_fail(err, FC_ENOMEM, "no memory for the model");
}

const char *fc_shown(char *out, size_t size, struct fc_text text)
{
    static const char hex[] = "0123456789abcdef";
    size_t at = 0;

    for (size_t i = 0; i < text.n && at + 5 <= size; i++) {
        unsigned char c = (unsigned char)text.p[i];

        if (c >= 0x20 && c < 0x7F && c != '\\') {
            out[at++] = (char)c;
            continue;
        }
        out[at++] = '\\';
        out[at++] = 'x';
        out[at++] = hex[c >> 4];
        out[at++] = hex[c & 15];
    }
    out[at] = '\0';
    return out;
}
