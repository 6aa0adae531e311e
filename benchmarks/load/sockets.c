#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS_PER_ADDRESS = 20000, PATIENCE = 30 /* seconds */ };

unsigned char read_buffer[READ_BUFFER + TLS_RECORD];

static int poller = -1;
static bool has_own_core;
static uint64_t last_arrival;

void sockets_initialize(void) {
    has_own_core = sysconf(_SC_NPROCESSORS_ONLN) > 1;
    poller = epoll_create1(EPOLL_CLOEXEC);
    if (poller < 0)
        fail("epoll_create1: %s", strerror(errno));
    if (server.is_tls)
        tls_initialize();
}

static void bind_source_address(int fd, unsigned number) {
    struct sockaddr_in source = {.sin_family = AF_INET};
    int yes = 1;
    source.sin_addr.s_addr = htonl(INADDR_LOOPBACK + number / CONNECTIONS_PER_ADDRESS);
    /* The port is chosen when connecting: only then does the kernel know that the pair of ends is what must be unique. */
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
    if (bind(fd, (struct sockaddr *)&source, sizeof source) < 0)
        fail("bind: %s", strerror(errno));
}

void open_connection(struct source *source, unsigned number) {
    struct timeval patience = {.tv_sec = PATIENCE};
    int yes = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        fail("socket: %s", strerror(errno));
    if (server.is_loopback)
        bind_source_address(fd, number);
    if (connect(fd, (struct sockaddr *)&server.address, sizeof server.address) < 0)
        fail("connect: %s", strerror(errno));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (server.is_tls) {
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        source->tls = tls_connect(fd);
    }
    fcntl(fd, F_SETFL, O_NONBLOCK);
    source->fd = fd;
}

void close_abruptly(struct source *source) {
    /* With a reset: thousands of sockets in TIME_WAIT would keep the next round from its ports. */
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    setsockopt(source->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    tls_free(source->tls);
    close(source->fd);
}

static ssize_t send_some(const struct source *source, const void *data, size_t size) {
    return source->tls ? tls_send(source->tls, data, size) : send(source->fd, data, size, MSG_NOSIGNAL);
}

static ssize_t receive_some(const struct source *source, void *buffer, size_t capacity) {
    return source->tls ? tls_receive(source->tls, buffer, capacity) : recv(source->fd, buffer, capacity, 0);
}

void send_all(struct source *source, const void *data, size_t size) {
    const char *bytes = data;
    while (size > 0) {
        ssize_t sent = send_some(source, bytes, size);
        if (sent < 0 && errno == EAGAIN) {
            struct pollfd writable = {.fd = source->fd, .events = POLLOUT};
            if (poll(&writable, 1, PATIENCE * 1000) == 0)
                fail("the server has read nothing for %d seconds", PATIENCE);
            continue;
        }
        if (sent < 0)
            fail("send: %s", strerror(errno));
        bytes += sent, size -= (size_t)sent;
    }
}

size_t read_available(struct source *source, size_t kept) {
    ssize_t size = receive_some(source, read_buffer + kept, sizeof read_buffer - kept);
    if (size < 0 && errno == EAGAIN)
        return kept;
    if (size < 0)
        fail("recv: %s", strerror(errno));
    if (size == 0)
        fail("the server closed a connection");
    return kept + (size_t)size;
}

void watch(struct source *source) {
    struct epoll_event interest = {.events = EPOLLIN, .data.ptr = source};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, source->fd, &interest) < 0)
        fail("epoll_ctl: %s", strerror(errno));
}

void unwatch(struct source *source) {
    epoll_ctl(poller, EPOLL_CTL_DEL, source->fd, NULL);
}

void restart_patience(void) {
    last_arrival = now_ns();
}

void poll_sources(int milliseconds) {
    struct epoll_event ready[512];
    /* Looking instead of sleeping: profiles showed the sender spending up to 3 us on waking a client that sleeps on
       another core, which a server with clients on other machines never pays. */
    int count = epoll_wait(poller, ready, 512, has_own_core ? 0 : milliseconds);
    if (count < 0 && errno != EINTR)
        fail("epoll_wait: %s", strerror(errno));
    for (int i = 0; i < count; i++) {
        struct source *source = ready[i].data.ptr;
        source->readable(source);
    }
    uint64_t now = now_ns();
    if (count > 0)
        last_arrival = now;
    else if (now - last_arrival > PATIENCE * 1000000000ULL)
        fail("nothing has come for %d seconds, while %llu deliveries are outstanding", PATIENCE,
             (unsigned long long)ledger_outstanding());
}
