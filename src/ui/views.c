#include "console.h"

const struct ft_view *const ft_views[FT_N_PLACES] = {
    [FT_PLACE_LIVE] = &ft_view_live,           [FT_PLACE_QUEUE] = &ft_view_queue,
    [FT_PLACE_THRESHOLD] = &ft_view_threshold, [FT_PLACE_REPLAY] = &ft_view_replay,
    [FT_PLACE_HEALTH] = &ft_view_health,       [FT_PLACE_LOG] = &ft_view_log,
    [FT_PLACE_CASE] = &ft_view_case,           [FT_PLACE_HELP] = &ft_view_help,
    [FT_PLACE_OPTIONS] = &ft_view_options,     [FT_PLACE_COLUMNS] = &ft_view_columns,
    [FT_PLACE_START] = &ft_view_start,         [FT_PLACE_REJECTS] = &ft_view_rejects,
    [FT_PLACE_TOPICS] = &ft_view_topics,       [FT_PLACE_TEXT] = &ft_view_text,
    [FT_PLACE_FIRST] = &ft_view_first,
};
