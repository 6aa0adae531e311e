/* The least a push server can do: a C loop that calls send() with a finished frame for each subscriber.

   send_loop [CERTIFICATE KEY] PORT

   It speaks as much of the Pusher protocol as the load generator needs, believes everything it is told and allows
   nothing for trouble: no signatures, no limits, no slow clients, every request in one piece. What it costs to deliver
   a message with this is what the kernel takes; with a certificate, what the kernel and OpenSSL take. */

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_CHANNELS = 100000, BUFFER = 65536 };

struct channel {
    int *subscribers; /* file descriptors */
    unsigned count, capacity;
};

static struct channel channels[MAX_CHANNELS];
static int *channel_of; /* by file descriptor; -1 when it is subscribed to none */
static SSL_CTX *context; /* NULL without TLS */
static SSL **tls_of;     /* by file descriptor */

static void check(long result, const char *what) {
    if (result >= 0)
        return;
    perror(what);
    exit(1);
}

static void check_tls(int result, const char *what) {
    if (result > 0)
        return;
    fprintf(stderr, "%s\n", what);
    ERR_print_errors_fp(stderr);
    exit(1);
}

static void send_whole(int fd, const void *data, size_t size) {
    if (context)
        check_tls(SSL_write(tls_of[fd], data, (int)size), "SSL_write");
    else
        check(send(fd, data, size, 0), "send");
}

/* Channels are called bench-NUMBER, with whatever prefix their kind has. */
static struct channel *channel_in(const char *text, int *number) {
    static const char before[] = "bench-";
    const char *found = strstr(text, before);
    *number = found ? atoi(found + sizeof before - 1) : MAX_CHANNELS;
    if (*number >= MAX_CHANNELS) {
        fprintf(stderr, "no channel in: %s\n", text);
        exit(1);
    }
    return &channels[*number];
}

static void send_text(int fd, const char *text) {
    unsigned char frame[256] = {0x81};
    size_t size = strlen(text), header = size < 126 ? 2 : 4;
    frame[1] = size < 126 ? (unsigned char)size : 126;
    if (header == 4)
        frame[2] = (unsigned char)(size >> 8), frame[3] = (unsigned char)size;
    memcpy(frame + header, text, size);
    send_whole(fd, frame, header + size);
}

static void upgrade(int fd) {
    static const char response[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                   "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    send_whole(fd, response, sizeof response - 1);
    send_text(fd, "{\"event\":\"pusher:connection_established\","
                  "\"data\":\"{\\\"socket_id\\\":\\\"1.1\\\",\\\"activity_timeout\\\":120}\"}");
}

static void subscribe(int fd, unsigned char *frame) {
    size_t header = (frame[1] & 127) == 126 ? 4 : 2, size = header == 4 ? frame[2] << 8 | frame[3] : frame[1] & 127;
    unsigned char *mask = frame + header, *payload = mask + 4;
    char answer[200];
    int number;
    for (size_t i = 0; i < size; i++)
        payload[i] ^= mask[i % 4];
    payload[size] = 0;
    struct channel *channel = channel_in((char *)payload, &number);
    if (channel->count == channel->capacity) {
        channel->capacity = channel->capacity ? 2 * channel->capacity : 1;
        channel->subscribers = realloc(channel->subscribers, channel->capacity * sizeof(int));
    }
    channel->subscribers[channel->count++] = fd;
    channel_of[fd] = number;
    snprintf(answer, sizeof answer,
             "{\"event\":\"pusher_internal:subscription_succeeded\",\"channel\":\"bench-%05d\",\"data\":\"{}\"}",
             number);
    send_text(fd, answer);
}

static void unsubscribe(int fd) {
    struct channel *channel = &channels[channel_of[fd]];
    for (unsigned i = 0; i < channel->count; i++)
        if (channel->subscribers[i] == fd)
            channel->subscribers[i--] = channel->subscribers[--channel->count];
    channel_of[fd] = -1;
}

static void publish(int fd, char *request) {
    static const char response[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
    static unsigned char frame[BUFFER];
    int number;
    struct channel *channel = channel_in(request, &number);
    char *data = strstr(request, "\"data\":\"") + strlen("\"data\":\"");
    *strchr(data, '"') = 0;
    size_t size = (size_t)snprintf((char *)frame + 4, BUFFER - 4,
                                   "{\"event\":\"bench\",\"channel\":\"bench-%05d\",\"data\":\"%s\"}", number, data);
    unsigned char *start = frame;
    if (size < 126) {
        start = frame + 2;
        start[0] = 0x81, start[1] = (unsigned char)size, size += 2;
    } else {
        start[0] = 0x81, start[1] = 126, start[2] = (unsigned char)(size >> 8), start[3] = (unsigned char)size;
        size += 4;
    }
    for (unsigned i = 0; i < channel->count; i++)
        send_whole(channel->subscribers[i], start, size);
    send_whole(fd, response, sizeof response - 1);
}

static void hang_up(int fd) {
    if (channel_of[fd] >= 0)
        unsubscribe(fd);
    SSL_free(tls_of[fd]);
    tls_of[fd] = NULL;
    close(fd);
}

static void serve(int fd) {
    static char buffer[BUFFER];
    ssize_t size = context ? SSL_read(tls_of[fd], buffer, BUFFER - 1) : recv(fd, buffer, BUFFER - 1, 0);
    if (size <= 0) {
        hang_up(fd);
        return;
    }
    buffer[size] = 0;
    if (strncmp(buffer, "GET ", 4) == 0)
        upgrade(fd);
    else if (strncmp(buffer, "POST ", 5) == 0)
        publish(fd, buffer);
    else
        subscribe(fd, (unsigned char *)buffer);
}

static void take_connection(int listener, int poller) {
    int yes = 1, fd = accept(listener, NULL, NULL);
    check(fd, "accept");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    channel_of[fd] = -1;
    if (context) {
        tls_of[fd] = SSL_new(context);
        SSL_set_fd(tls_of[fd], fd);
        if (SSL_accept(tls_of[fd]) != 1) { /* as when someone looks whether anyone listens */
            hang_up(fd);
            return;
        }
    }
    struct epoll_event interest = {.events = EPOLLIN, .data.fd = fd};
    check(epoll_ctl(poller, EPOLL_CTL_ADD, fd, &interest), "epoll_ctl");
}

static void use_certificate(const char *certificate, const char *key) {
    context = SSL_CTX_new(TLS_server_method());
    check_tls(SSL_CTX_use_certificate_file(context, certificate, SSL_FILETYPE_PEM), certificate);
    check_tls(SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM), key);
    signal(SIGPIPE, SIG_IGN);
}

int main(int count, char **arguments) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    channel_of = calloc(limit.rlim_cur, sizeof *channel_of);
    tls_of = calloc(limit.rlim_cur, sizeof *tls_of);
    if (count > 3)
        use_certificate(arguments[1], arguments[2]);

    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    address.sin_port = htons((uint16_t)atoi(count > 1 ? arguments[count - 1] : "0"));
    int yes = 1, listener = socket(AF_INET, SOCK_STREAM, 0), poller = epoll_create1(0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    check(bind(listener, (struct sockaddr *)&address, sizeof address), "bind");
    check(listen(listener, 4096), "listen");
    struct epoll_event ready[256], interest = {.events = EPOLLIN, .data.fd = listener};
    check(epoll_ctl(poller, EPOLL_CTL_ADD, listener, &interest), "epoll_ctl");
    for (;;) {
        int found = epoll_wait(poller, ready, 256, -1);
        for (int i = 0; i < found; i++) {
            if (ready[i].data.fd == listener)
                take_connection(listener, poller);
            else
                serve(ready[i].data.fd);
        }
    }
}
