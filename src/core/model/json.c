#include "model.h"

enum fc_status fc_json_read(struct fc_model *m, struct fc_arena *tmp, const void *bytes, size_t n,
                            struct fc_err *err)
{
    (void)m, (void)tmp, (void)bytes, (void)n;
    return fc_fail(err, FC_EUNSUPPORTED, "the JSON form of a model is not read yet");
}
