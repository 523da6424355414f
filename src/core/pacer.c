#include "fraudtop/pacer.h"

void ft_pacer_init(struct ft_pacer *p, double rate, double speed, int64_t now_ns)
{
    *p = (struct ft_pacer){.rate = rate, .speed = speed, .start_ns = now_ns, .last_due_ns = now_ns};
}

int64_t ft_pacer_due(struct ft_pacer *p, int64_t event_s, int64_t now_ns)
{
    int64_t due = now_ns;

    if (p->speed > 0) {
        if (!p->has_event) {
            p->first_event_s = event_s;
            p->has_event = true;
        }
        due = p->start_ns + (int64_t)((double)(event_s - p->first_event_s) * 1e9 / p->speed);
    } else if (p->rate > 0) {
        due = p->start_ns + (int64_t)((double)p->i * 1e9 / p->rate);
    }
    if (due < p->last_due_ns)
        due = p->last_due_ns;
    p->last_due_ns = due;
    return due;
}

void ft_pacer_next(struct ft_pacer *p)
{
    p->i++;
}

void ft_pacer_rate(struct ft_pacer *p, double rate, int64_t now_ns)
{
    p->rate = rate;
    p->speed = 0;
    p->i = 0;
    p->start_ns = now_ns;
    p->last_due_ns = now_ns;
}

void ft_pacer_pause(struct ft_pacer *p, bool paused, int64_t now_ns)
{
    if (paused == p->paused)
        return;
    p->paused = paused;
    if (paused) {
        p->paused_ns = now_ns;
        return;
    }
    p->start_ns += now_ns - p->paused_ns;
    p->last_due_ns += now_ns - p->paused_ns;
}
