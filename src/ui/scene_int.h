/* What scene.c (the picture) and scene_answers.c (questions) share. */
#ifndef FT_SCENE_INT_H
#define FT_SCENE_INT_H

#include "fraudtop/scene.h"

enum ft_script {
    FT_SCRIPT_NORMAL,
    FT_SCRIPT_ATTACK,
    FT_SCRIPT_DRIFT,
    FT_SCRIPT_KAFKA_DOWN,
    FT_SCRIPT_PG_DOWN,
    FT_SCRIPT_LAG,
    FT_SCRIPT_EMPTY,
    FT_N_SCRIPTS
};

#define FT_SCENE_EVENTS 256
#define FT_SCENE_ANSWERS 32

struct ft_scene_event { /* what reviewers did */
    int64_t wall_ms;
    struct ft_uuid id;
    char by[32], kind[16], reason[48], note[200], until[32];
    char before; /* status it replaced */
    int number;
};

struct ft_scene {
    enum ft_script script;
    uint64_t seed;
    int64_t start_wall_ms, begun_ms; /* begun: monotonic */
    bool fixed;
    int64_t fixed_ms;
    double threshold, sample;
    bool paused, stopped;
    bool waits; /* a replay behind the one that runs */
    double rate_limit;
    char message[200];
    uint64_t message_seq, live_seq;
    struct ft_flagged *row; /* newest first */
    size_t n_row;
    uint64_t newest; /* number of row[0] + 1 */
    struct ft_process process[4];
    struct ft_scene_event event[FT_SCENE_EVENTS];
    size_t n_event;
    struct ft_answer answer[FT_SCENE_ANSWERS];
    size_t n_answer;
    uint64_t ticket;
    struct ft_feed feed;
};

int64_t ft_scene_ms(const struct ft_scene *s); /* since the start */
/* 64 mixed bits of the seed, a stream and a number. */
uint64_t ft_scene_hash(const struct ft_scene *s, uint64_t stream, uint64_t n);
double ft_scene_unit(const struct ft_scene *s, uint64_t stream, uint64_t n); /* 0 to 1 */
struct ft_flagged *ft_scene_row(struct ft_scene *s, const struct ft_uuid *id);
bool ft_scene_queued(const struct ft_scene *s, const struct ft_flagged *row);
void ft_scene_refresh(struct ft_scene *s); /* brings the rows up to the clock */
uint64_t ft_scene_ask(void *self, const struct ft_ask *ask);
bool ft_scene_answer(void *self, struct ft_answer *out);

#endif
