#include <string.h>
#include <unistd.h>

#include "app.h"
#include "fraudtop/text.h"

enum { WIDTH = 24, EVERY_MS = 200, JSON_MS = 1000, PLAIN_MS = 10000 };

static int interval(const struct ft_progress *p)
{
    return p->terminal ? EVERY_MS : p->json ? JSON_MS : PLAIN_MS;
}

void ft_progress_start(struct ft_progress *p, const struct ft_app *app, const char *what)
{
    const char *mode = ft_cfg_text(app->cfg, "output.progress");

    *p = (struct ft_progress){.what = what, .start_ms = ft_now_ms()};
    p->json = strcmp(mode, "json") == 0;
    p->terminal = strcmp(mode, "auto") == 0 && isatty(STDERR_FILENO);
    p->enabled = app->progress;
    /* the first line at once on a terminal, elsewhere only for what takes long */
    p->last_ms = p->terminal ? p->start_ms - EVERY_MS : p->start_ms;
}

static void bar(char *out, size_t size, double share)
{
    size_t full = (size_t)(share * WIDTH), i;

    for (i = 0; i < WIDTH && i + 1 < size; i++)
        out[i] = i < full ? '#' : '-';
    out[i] = '\0';
}

static void line(struct ft_progress *p, uint64_t done, uint64_t total, uint64_t rows,
                 const char *detail, double seconds)
{
    double share = total ? (double)done / (double)total : 0;
    char text[256], time[24] = "--:--:--", rate[24], count[32], chart[WIDTH + 4];
    int n;

    if (share > 1)
        share = 1;
    if (share > 0 && seconds > 0.5)
        ft_fmt_age(time, sizeof(time), (int64_t)((seconds / share - seconds) * 1000));
    ft_fmt_rate(rate, sizeof(rate), seconds > 0 ? (double)rows / seconds : 0);
    ft_fmt_count(count, sizeof(count), rows);
    bar(chart, sizeof(chart), share);
    if (total && p->terminal)
        n = snprintf(text, sizeof(text), "%s [%s] %5.1f %%  %s/s  %s left%s%s", p->what, chart,
                     share * 100, rate, time, detail ? "  " : "", detail ? detail : "");
    else if (total)
        n = snprintf(text, sizeof(text), "%s: %.1f %%, %s rows, %s/s, %s left%s%s", p->what,
                     share * 100, count, rate, time, detail ? ", " : "", detail ? detail : "");
    else
        n = snprintf(text, sizeof(text), "%s: %s rows, %s/s%s%s", p->what, count, rate,
                     detail ? ", " : "", detail ? detail : "");
    if (n > 79 && p->terminal)
        text[n = 79] = '\0';
    if (p->terminal)
        fprintf(stderr, "\r%-*s", p->shown, text);
    else
        fprintf(stderr, "%s\n", text);
    fflush(stderr);
    p->shown = n;
}

void ft_progress_show(struct ft_progress *p, uint64_t done, uint64_t total, uint64_t rows,
                      const char *detail)
{
    int64_t now = ft_now_ms();
    double seconds = (double)(now - p->start_ms) / 1000;

    if (!p->enabled || now - p->last_ms < interval(p))
        return;
    p->last_ms = now;
    if (p->json)
        fprintf(
            stderr,
            "{\"schema\":\"progress/1\",\"what\":\"%s\",\"done\":%llu,\"total\":%llu,\"rows\":%llu,"
            "\"seconds\":%.3f}\n",
            p->what, (unsigned long long)done, (unsigned long long)total, (unsigned long long)rows,
            seconds);
    else
        line(p, done, total, rows, detail, seconds);
}

void ft_progress_end(struct ft_progress *p)
{
    if (p->enabled && p->terminal && p->shown > 0) {
        fprintf(stderr, "\r%*s\r", p->shown, "");
        fflush(stderr);
    }
    p->enabled = false;
}
