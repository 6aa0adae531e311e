/* What the parts of the load generator share. See main.c for what it is. */
#ifndef LOAD_H
#define LOAD_H

#include "digest.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    MAX_SENDERS = 128,         /* publishers, or clients that send client events */
    MAX_BATCH = 10,            /* events in one request: Pusher's limit */
    MAX_DATA = 10240,          /* bytes of data in one event: Pusher's limit */
    READ_BUFFER = 256 * 1024,  /* bytes taken off a socket at once */
    TLS_RECORD = 16384,        /* bytes in one record: RFC 8446 section 5.1 */
};

/* -- main.c: the server under load, and failing */

struct server {
    struct sockaddr_in address;
    bool is_loopback, is_tls;
    char host[128]; /* for the Host header */
    const char *app_id, *key;
    struct hmac_key secret;
    const char *plain_secret;
};

extern struct server server;

uint64_t now_ns(void); /* CLOCK_MONOTONIC */

/* Print {"error": ...} and exit: a run with anything wrong in it has no figures. */
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* -- sockets.c */

/* Something on a socket that wants to hear when it can be read. */
struct source {
    void (*readable)(struct source *source);
    int fd;
    struct ssl_st *tls; /* NULL when nothing is encrypted */
};

void sockets_initialize(void);

/* Connect, and shake hands if it is TLS. On loopback the number picks the source address: one address has some 28,000
   ports. */
void open_connection(struct source *source, unsigned number);
void close_abruptly(struct source *source);
void send_all(struct source *source, const void *data, size_t size);

/* What there is to read after `kept` bytes, fewer than READ_BUFFER, that the caller has put at the buffer's start.
   Returns how many bytes the buffer holds; fails when the peer has closed. */
size_t read_available(struct source *source, size_t kept);
extern unsigned char read_buffer[];

void watch(struct source *source);
void unwatch(struct source *source);

/* Serve what is readable, waiting at most so long for something (or looking once, with a core to spare); fails when nothing has come for PATIENCE seconds. */
void poll_sources(int milliseconds);
void restart_patience(void);

/* -- tls.c: TLS 1.3 on a connected socket */

void tls_initialize(void);
struct ssl_st *tls_connect(int fd); /* waits for the handshake */
void tls_free(struct ssl_st *tls);

/* As send() and recv() on a socket that does not block. With room for TLS_RECORD bytes nothing that has been decrypted
   stays behind, where epoll would not see it. */
ssize_t tls_send(struct ssl_st *tls, const void *data, size_t size);
ssize_t tls_receive(struct ssl_st *tls, void *buffer, size_t capacity);

/* -- ledger.c: every event sent, and who has had it */

struct subscriber;

/* Start a run of at most so many events, each with so many bytes of data; the run before must be complete. */
void ledger_start(uint32_t events, size_t data_size);

/* How many publishers or clients send, on how many channels: clears all sequence numbers. */
void ledger_prepare(uint32_t channels);

/* Enter an event due now (CLOCK_MONOTONIC) and write its data. With `is_echo_forbidden` the subscriber whose number
   is the sender's must not get it. */
void ledger_enter(uint32_t sender, uint32_t channel, uint32_t recipients, bool is_echo_forbidden, uint64_t due,
                  char *data);

/* Check what a subscriber has received, byte by byte, against what is next for it. */
void ledger_receive(struct subscriber *subscriber, const char *data, size_t size, uint64_t now);

/* Deliveries that are still to come; and the run's results. */
uint64_t ledger_outstanding(void);
uint64_t ledger_delivered(void);
void ledger_print_latency(void);

/* The sequence number a new subscriber of the channel gets first from the sender. */
uint32_t ledger_next(uint32_t sender, uint32_t channel);

/* -- subscribers.c: WebSocket clients */

/* What is subscribed to, and over which protocol: all but SignalR's clients are Pusher's. */
enum kind { UNSUBSCRIBED, PUBLIC, PRIVATE, PRESENCE, SIGNALR_JSON, SIGNALR_MESSAGEPACK };

/* CONFIRMING is SignalR's: a subscription is reported twice, by a call and as the result of the client's own. */
enum stage { UPGRADING, GREETING, IDLE, SUBSCRIBING, CONFIRMING, SUBSCRIBED, LEAVING, STALLED };

struct subscriber {
    struct source source;
    enum stage stage;
    uint32_t number, channel;
    char socket_id[64];
    unsigned char *partial; /* the start of a message that has not come whole */
    size_t partial_size;
    uint32_t next[MAX_SENDERS]; /* by sender, the sequence number that has to come next */
};

extern struct subscriber *subscribers;
extern uint32_t subscriber_count, channel_count;
extern enum kind channel_kind;

/* Every channel's name has one length, so that every frame of a run has one size. */
enum { CHANNEL_NAME = 40 };
void channel_name(uint32_t channel, char name[CHANNEL_NAME]);
uint32_t channel_readers(uint32_t channel);

/* SignalR's clients show an access token, one for all of them. */
void connect_subscribers(uint32_t count, uint32_t channels, enum kind kind, const char *token, uint32_t in_flight);
void stall_subscribers(uint32_t count);
uint32_t await_hang_ups(uint32_t seconds); /* returns how many of the stalled the server has cut off by then */
void close_subscribers(void);

/* -- pusher.c, signalr.c: what clients say over their WebSockets */

enum { TEXT_FRAME = 0x81, BINARY_FRAME = 0x82 };

struct protocol {
    unsigned char frame_type; /* of what the server sends */
    void (*write_target)(char *target, size_t capacity, const char *token);
    void (*upgraded)(struct subscriber *subscriber);
    void (*receive)(struct subscriber *subscriber, const char *payload, size_t size, uint64_t now);
};

extern const struct protocol pusher, signalr_json, signalr_messagepack;

void subscribe(struct subscriber *subscriber); /* on Pusher's terms */

/* For the protocols: a client has come as far as it was to come; and sending. */
void subscriber_is_idle(struct subscriber *subscriber);
void subscriber_is_subscribed(struct subscriber *subscriber);
void send_frame(struct subscriber *subscriber, unsigned char type, const char *payload, size_t size);
void send_message(struct subscriber *subscriber, const char *text, size_t size); /* in a text frame */

/* Text that a message holds, and where it goes on. */
#define AFTER(message, size, text) after((message), (size), (text), sizeof(text) - 1)
#define IS(at, text) (strncmp((at), (text), sizeof(text) - 1) == 0)
const char *after(const char *message, size_t size, const char *text, size_t text_size);

/* -- publishers.c: HTTP clients */

enum pace {
    TICKS, /* one request on each connection, and the next when everything has arrived */
    FLOOD, /* on each connection one request after the other */
    RATE,  /* one request every so many nanoseconds, whatever has or has not arrived */
};

struct publishing {
    uint32_t events, publishers, batch;
    size_t data_size;
    bool is_signed;
    enum pace pace;
    uint64_t interval;
};

uint32_t publish(const struct publishing *publishing); /* returns how many requests it took */
void close_publishers(void);

/* -- members.c: presence and client events */

void join_members(uint32_t in_flight);
void leave_members(uint32_t in_flight);
void send_client_events(uint32_t rounds, size_t data_size);
uint64_t presence_messages(void);

/* For pusher.c, which reads them off the wire. */
void member_subscribed(struct subscriber *subscriber, const char *message, size_t size);
void member_changed(struct subscriber *subscriber, const char *message, size_t size, bool has_joined);
void member_left(struct subscriber *subscriber);
size_t sign_subscription(const struct subscriber *subscriber, char *fields, size_t capacity);

#endif
