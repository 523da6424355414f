/*
 * A scripted feed: the same picture for the same name, seed and clock, without any service.  For `demo --scene`,
 * `snapshot --scene`, the manual's drawings and the screen tests.  Line 1 of the console says SCENE.
 */
#ifndef FRAUDTOP_SCENE_H
#define FRAUDTOP_SCENE_H

#include "fraudtop/feed.h"
#include "fraudtop/status.h"

struct ft_scene;

/* "normal", "attack", "drift", "kafka-down", "pg-down", "lag", "empty"; NULL ends the list. */
extern const char *const ft_scene_names[];

/* FT_EUSAGE names the scenes that there are.  start_wall_ms: what the clock shows at the start. */
enum ft_status ft_scene_new(struct ft_scene **out, const char *name, uint64_t seed,
                            int64_t start_wall_ms, struct ft_err *err);
void ft_scene_free(struct ft_scene *s);
/* The feed; valid as long as the scene.  One thread. */
struct ft_feed *ft_scene_feed(struct ft_scene *s);
/* Without it the clock runs; with it, it stands at ms after the start until the next call. */
void ft_scene_at(struct ft_scene *s, int64_t ms);
/* Another script from now on (the palette's :scene). */
enum ft_status ft_scene_switch(struct ft_scene *s, const char *name, struct ft_err *err);

#endif
