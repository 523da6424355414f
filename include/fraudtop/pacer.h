/*
 * When the next row is due: by a timetable (start + i / rate), by the rows' own times, or at once.  A timetable, not a
 * sleep per row: after a stall the rows that became due meanwhile follow at once, and their latency shows the stall.
 * Times are monotonic nanoseconds given by the caller.
 */
#ifndef FRAUDTOP_PACER_H
#define FRAUDTOP_PACER_H

#include <stdbool.h>
#include <stdint.h>

struct ft_pacer {
    double rate;  /* rows a second; 0: no limit */
    double speed; /* times event time; 0: not by event time */
    int64_t start_ns;
    uint64_t i; /* rows since start_ns */
    int64_t first_event_s, last_due_ns, paused_ns;
    bool has_event, paused;
};

void ft_pacer_init(struct ft_pacer *p, double rate, double speed, int64_t now_ns);
/* Due time of the next row, which happened at event_s (used with speed only; times that go back are due at once). */
int64_t ft_pacer_due(struct ft_pacer *p, int64_t event_s, int64_t now_ns);
/* The row was sent: the next one's turn. */
void ft_pacer_next(struct ft_pacer *p);
/* Another rate from now on (0: no limit). */
void ft_pacer_rate(struct ft_pacer *p, double rate, int64_t now_ns);
/* A pause moves the timetable: nothing is caught up afterwards. */
void ft_pacer_pause(struct ft_pacer *p, bool paused, int64_t now_ns);

#endif
