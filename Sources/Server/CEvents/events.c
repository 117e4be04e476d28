#define _GNU_SOURCE
#include "CEvents.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

const uint32_t events_readable = EPOLLIN;
const uint32_t events_writable = EPOLLOUT;
const uint32_t events_failed = EPOLLERR | EPOLLHUP;
const uint32_t events_exclusive = EPOLLEXCLUSIVE;

int events_create(void) {
    return epoll_create1(EPOLL_CLOEXEC);
}

static int control(int poller, int operation, int descriptor, uint32_t interest, uint64_t identifier) {
    struct epoll_event event = {.events = interest, .data.u64 = identifier};
    return epoll_ctl(poller, operation, descriptor, &event);
}

int events_add(int poller, int descriptor, uint32_t interest, uint64_t identifier) {
    return control(poller, EPOLL_CTL_ADD, descriptor, interest, identifier);
}

int events_change(int poller, int descriptor, uint32_t interest, uint64_t identifier) {
    return control(poller, EPOLL_CTL_MOD, descriptor, interest, identifier);
}

int events_remove(int poller, int descriptor) {
    return control(poller, EPOLL_CTL_DEL, descriptor, 0, 0);
}

int events_wait(int poller, events_ready *ready, int capacity, int timeout_milliseconds) {
    enum { maximum = 256 };
    struct epoll_event events[maximum];
    int count = epoll_wait(poller, events, capacity < maximum ? capacity : maximum, timeout_milliseconds);
    for (int i = 0; i < count; i++) {
        ready[i] = (events_ready){.identifier = events[i].data.u64, .readiness = events[i].events};
    }
    return count;
}

int events_wakeup_create(void) {
    return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

int events_wakeup_signal(int wakeup) {
    return eventfd_write(wakeup, 1);
}

int events_wakeup_clear(int wakeup) {
    eventfd_t count;
    return eventfd_read(wakeup, &count);
}

int events_accept(int listener, struct sockaddr_storage *peer) {
    socklen_t length = sizeof *peer;
    return accept4(listener, (struct sockaddr *)peer, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}
