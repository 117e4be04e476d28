/* epoll for Swift: `struct epoll_event` is packed and ends in a union, EPOLL* are enumerators, and accept4 is declared only
   with _GNU_SOURCE, none of which Swift imports as what it is. Each call returns what the system call returns and sets
   errno. */
#pragma once

#include <stdint.h>
#include <sys/socket.h>

/* What a watched descriptor is ready for, or is watched for; the values of EPOLL*. */
extern const uint32_t events_readable;  /* EPOLLIN */
extern const uint32_t events_writable;  /* EPOLLOUT */
extern const uint32_t events_failed;    /* EPOLLERR | EPOLLHUP; always watched */
extern const uint32_t events_exclusive; /* EPOLLEXCLUSIVE */

/* A ready descriptor: the identifier it was added with, and for what it is ready. */
typedef struct {
    uint64_t identifier;
    uint32_t readiness;
} events_ready;

int events_create(void);
int events_add(int poller, int descriptor, uint32_t interest, uint64_t identifier);
int events_change(int poller, int descriptor, uint32_t interest, uint64_t identifier);
int events_remove(int poller, int descriptor);

/* Waits at most `timeout_milliseconds`, for ever if it is -1, and fills at most `capacity` entries, at most 256. */
int events_wait(int poller, events_ready *ready, int capacity, int timeout_milliseconds);

/* A counter that makes `events_wait` of another thread return. */
int events_wakeup_create(void);
int events_wakeup_signal(int wakeup);
int events_wakeup_clear(int wakeup);

/* accept4 with a socket that neither blocks nor survives exec. */
int events_accept(int listener, struct sockaddr_storage *peer);
