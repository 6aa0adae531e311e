#include "load.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CLOSE_FRAME = 0x88, PING_FRAME = 0x89, MASKED = 0x80, TARGET = 1024 };

/* RFC 6455's own example: with one key for all, the answer can be checked without a SHA-1. */
static const char handshake_key[] = "dGhlIHNhbXBsZSBub25jZQ==", handshake_answer[] = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

struct subscriber *subscribers;
uint32_t subscriber_count, channel_count = 1;
enum kind channel_kind = PUBLIC;

static uint32_t *readers; /* by channel */
static uint32_t settled;  /* how many have come as far as they were to come */
static const struct protocol *protocol = &pusher;
static char target[TARGET]; /* where they ask for the upgrade */

void channel_name(uint32_t channel, char name[CHANNEL_NAME]) {
    static const char *const prefixes[] = {[UNSUBSCRIBED] = "", [PUBLIC] = "", [PRIVATE] = "private-",
                                           [PRESENCE] = "presence-", [SIGNALR_JSON] = "",
                                           [SIGNALR_MESSAGEPACK] = ""};
    snprintf(name, CHANNEL_NAME, "%sbench-%05u", prefixes[channel_kind], channel);
}

uint32_t channel_readers(uint32_t channel) {
    return readers ? readers[channel] : 0;
}

const char *after(const char *message, size_t size, const char *text, size_t text_size) {
    const char *found = memmem(message, size, text, text_size);
    return found ? found + text_size : NULL;
}

void subscriber_is_idle(struct subscriber *subscriber) {
    subscriber->stage = IDLE;
    settled++;
}

void subscriber_is_subscribed(struct subscriber *subscriber) {
    subscriber->stage = SUBSCRIBED;
    settled++;
    readers[subscriber->channel]++;
}

/* -- what a client sends */

void send_frame(struct subscriber *subscriber, unsigned char type, const char *payload, size_t size) {
    static const unsigned char mask[4] = {0x37, 0xfa, 0x21, 0x3d};
    unsigned char frame[MAX_DATA + 1024], *at = frame;
    *at++ = type;
    if (size < 126) {
        *at++ = MASKED | (unsigned char)size;
    } else {
        *at++ = MASKED | 126;
        *at++ = (unsigned char)(size >> 8);
        *at++ = (unsigned char)size;
    }
    memcpy(at, mask, 4);
    at += 4;
    for (size_t i = 0; i < size; i++)
        *at++ = (unsigned char)payload[i] ^ mask[i % 4];
    send_all(&subscriber->source, frame, (size_t)(at - frame));
}

void send_message(struct subscriber *subscriber, const char *text, size_t size) {
    send_frame(subscriber, TEXT_FRAME, text, size);
}

/* -- what it receives */

static void receive_frame(struct subscriber *subscriber, unsigned char type, const char *payload, size_t size,
                          uint64_t now) {
    if (type == protocol->frame_type)
        protocol->receive(subscriber, payload, size, now);
    else if (type == PING_FRAME)
        send_frame(subscriber, 0x8a, payload, size);
    else if (type == CLOSE_FRAME)
        fail("the server closed subscriber %u: %u %.*s", subscriber->number,
             size < 2 ? 0 : (unsigned char)payload[0] << 8 | (unsigned char)payload[1], size < 2 ? 0 : (int)size - 2,
             payload + 2);
    else
        fail("a frame of type %#x", type);
}

/* Returns how many bytes the whole frames take. */
static size_t receive_frames(struct subscriber *subscriber, const unsigned char *bytes, size_t size, uint64_t now) {
    size_t at = 0;
    while (size - at >= 2) {
        const unsigned char *frame = bytes + at;
        size_t left = size - at, header = frame[1] < 126 ? 2 : frame[1] == 126 ? 4 : 10, payload = frame[1];
        if (left < header)
            break;
        if (header > 2) {
            payload = 0;
            for (size_t i = 2; i < header; i++)
                payload = payload << 8 | frame[i];
        }
        if (header + payload > READ_BUFFER)
            fail("a frame of %zu bytes", payload);
        if (left < header + payload)
            break;
        receive_frame(subscriber, frame[0], (const char *)frame + header, payload, now);
        at += header + payload;
    }
    return at;
}

/* Returns how many bytes the response to the upgrade takes; 0 while it is not whole. */
static size_t receive_upgrade(struct subscriber *subscriber, const unsigned char *bytes, size_t size) {
    const char *response = (const char *)bytes, *body = AFTER(response, size, "\r\n\r\n");
    if (!body)
        return 0;
    if (!IS(response, "HTTP/1.1 101") || !AFTER(response, size, handshake_answer))
        fail("the upgrade was refused: %.*s", (int)(size < 500 ? size : 500), response);
    protocol->upgraded(subscriber);
    return (size_t)(body - response);
}

static void keep_partial(struct subscriber *subscriber, const unsigned char *bytes, size_t size) {
    subscriber->partial_size = size;
    if (size == 0)
        return;
    free(subscriber->partial);
    subscriber->partial = malloc(size);
    memcpy(subscriber->partial, bytes, size);
}

static void subscriber_readable(struct source *source) {
    struct subscriber *subscriber = (struct subscriber *)source;
    size_t kept = subscriber->partial_size, at = 0;
    if (kept > 0)
        memcpy(read_buffer, subscriber->partial, kept);
    size_t size = read_available(source, kept);
    if (subscriber->stage == UPGRADING)
        at = receive_upgrade(subscriber, read_buffer, size);
    if (subscriber->stage != UPGRADING)
        at += receive_frames(subscriber, read_buffer + at, size - at, now_ns());
    keep_partial(subscriber, read_buffer + at, size - at);
}

/* -- opening and closing */

static void open_subscriber(uint32_t number) {
    struct subscriber *subscriber = &subscribers[number];
    char request[TARGET + 512];
    int size = snprintf(request, sizeof request,
                        "GET %s HTTP/1.1\r\nHost: %s\r\n"
                        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                        "Sec-WebSocket-Key: %s\r\n\r\n",
                        target, server.host, handshake_key);
    subscriber->number = number;
    subscriber->channel = number % channel_count;
    for (uint32_t sender = 0; sender < MAX_SENDERS; sender++)
        subscriber->next[sender] = ledger_next(sender, subscriber->channel);
    subscriber->source.readable = subscriber_readable;
    open_connection(&subscriber->source, number);
    send_all(&subscriber->source, request, (size_t)size);
    watch(&subscriber->source);
}

static const struct protocol *protocol_of(enum kind kind) {
    return kind == SIGNALR_JSON ? &signalr_json : kind == SIGNALR_MESSAGEPACK ? &signalr_messagepack : &pusher;
}

void connect_subscribers(uint32_t count, uint32_t channels, enum kind kind, const char *token, uint32_t in_flight) {
    if (subscriber_count > 0)
        fail("close the subscribers first");
    if (channels == 0 || channels > 100000)
        fail("1 to 100000 channels");
    subscribers = calloc(count, sizeof *subscribers);
    readers = calloc(channels, sizeof *readers);
    subscriber_count = count;
    channel_count = channels;
    channel_kind = kind;
    protocol = protocol_of(kind);
    protocol->write_target(target, sizeof target, token);
    ledger_prepare(channels);
    uint32_t opened = settled = 0;
    while (settled < count) {
        while (opened < count && opened - settled < in_flight)
            open_subscriber(opened++);
        poll_sources(1000);
    }
}

void stall_subscribers(uint32_t count) {
    int bytes = 4096;
    for (uint32_t number = 0; number < count && number < subscriber_count; number++) {
        struct subscriber *subscriber = &subscribers[number];
        /* A small window: what the client leaves unread is to pile up in the server, not in the kernel. */
        setsockopt(subscriber->source.fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
        unwatch(&subscriber->source);
        subscriber->stage = STALLED;
        readers[subscriber->channel]--;
    }
}

uint32_t await_hang_ups(uint32_t seconds) {
    uint64_t deadline = now_ns() + seconds * 1000000000ULL;
    uint32_t count = 0;
    for (uint32_t number = 0; number < subscriber_count; number++) {
        struct pollfd hang_up = {.fd = subscribers[number].source.fd, .events = POLLRDHUP};
        uint64_t now = now_ns();
        int patience = now < deadline ? (int)((deadline - now) / 1000000) : 0;
        if (subscribers[number].stage == STALLED && poll(&hang_up, 1, patience) > 0)
            count++;
    }
    return count;
}

void close_subscribers(void) {
    for (uint32_t number = 0; number < subscriber_count; number++) {
        close_abruptly(&subscribers[number].source);
        free(subscribers[number].partial);
    }
    free(subscribers);
    free(readers);
    subscribers = NULL;
    readers = NULL;
    subscriber_count = 0;
}
