#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "app.h"

/* A process has one fate: the only state here. */
static struct {
    volatile int signal;
    int fd;
    void (*restore)(void);
    sigset_t set;
} stop = {.fd = -1};

int ft_stop_signal(void)
{
    return stop.signal;
}

volatile int *ft_stop_flag(void)
{
    return &stop.signal;
}

int ft_stop_fd(void)
{
    return stop.fd;
}

void ft_stop_raise(int signal)
{
    uint64_t one = 1;

    if (!stop.signal)
        stop.signal = signal;
    if (stop.fd >= 0 && write(stop.fd, &one, sizeof(one)) < 0)
        return; /* its counter is full: it is readable already */
}

int ft_stop_exit(int status)
{
    return stop.signal > 0 ? 128 + stop.signal : status;
}

void ft_stop_before_exit(void (*restore)(void))
{
    stop.restore = restore;
}

static void *take_signals(void *unused)
{
    int n = 0, sig;

    (void)unused;
    for (;;) {
        if (sigwait(&stop.set, &sig) != 0)
            continue;
        if (n++ > 0) {
            if (stop.restore)
                stop.restore();
            _exit(128 + sig);
        }
        ft_stop_raise(sig);
    }
    return NULL;
}

/* Under nohup SIGHUP is ignored, and so it stays.  SIGINT is taken even so: shells ignore it for what they start with &. */
static bool ignored(int sig)
{
    struct sigaction old;

    return sigaction(sig, NULL, &old) == 0 && old.sa_handler == SIG_IGN;
}

enum ft_status ft_stop_init(bool screen, struct ft_err *err)
{
    static const int console[] = {SIGWINCH, SIGTSTP, SIGCONT, SIGUSR1};
    sigset_t block;
    pthread_t thread;
    int rc;

    signal(SIGPIPE, SIG_IGN); /* errors come from write */
    sigemptyset(&stop.set);
    sigaddset(&stop.set, SIGINT);
    sigaddset(&stop.set, SIGTERM);
    if (!ignored(SIGHUP))
        sigaddset(&stop.set, SIGHUP);
    signal(SIGINT, SIG_DFL);
    block = stop.set;
    for (size_t i = 0; screen && i < sizeof(console) / sizeof(console[0]); i++)
        sigaddset(&block, console[i]);
    stop.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (stop.fd < 0)
        return ft_fail(err, FT_EIO, "eventfd: %s", strerror(errno));
    rc = pthread_sigmask(SIG_BLOCK, &block, NULL);
    if (rc == 0)
        rc = pthread_create(&thread, NULL, take_signals, NULL);
    if (rc != 0)
        return ft_fail(err, FT_EIO, "no thread for signals: %s", strerror(rc));
    pthread_detach(thread);
    return FT_OK;
}
