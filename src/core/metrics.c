#include "fraudtop/pipeline.h"

const char *const ft_metric_name[FT_N_METRICS] = {
    [FT_M_READ] = "read",
    [FT_M_REJECTED] = "rejected",
    [FT_M_SENT] = "sent",
    [FT_M_ACKED] = "acked",
    [FT_M_RECEIVED] = "received",
    [FT_M_SCORED] = "scored",
    [FT_M_FLAGGED] = "flagged",
    [FT_M_REPEATED] = "repeated",
    [FT_M_DEAD] = "dead_lettered",
    [FT_M_SINK_RECEIVED] = "sink_received",
    [FT_M_STORED] = "stored",
    [FT_M_SINK_REPEATED] = "sink_repeated",
    [FT_M_SINK_DEAD] = "sink_dead_lettered",
    [FT_M_RETRIES] = "retries",
};
