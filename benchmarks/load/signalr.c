/* SignalR over a WebSocket, without negotiation. Source: ASP.NET Core SignalR, HubProtocol.md.

   What the server has to say is known to the byte, but for the data of an event. So nothing is parsed: a message is
   compared with the ones that may come, and any other ends the run. */

#include "load.h"

#include <stdio.h>
#include <string.h>

enum { RECORD_SEPARATOR = 0x1e, MESSAGE = 256, MAX_PREFIX = 5 };

struct bytes {
    const char *at;
    size_t size;
};

#define BYTES(literal) ((struct bytes){(literal), sizeof(literal) - 1})

/* A message, but for the channel's name within it. */
struct form {
    struct bytes before, after;
};

/* One of SignalR's two encodings. The handshake is JSON in both. */
struct encoding {
    unsigned char frame_type;
    struct bytes handshake, ping;
    struct form subscribe, succeeded, completed, event; /* an event goes on with its data, then ends */
    struct bytes event_end;
    size_t (*wrap)(char *message, struct bytes content); /* makes content a message, returns its size */
    struct bytes (*unwrap)(struct bytes *messages);      /* takes the first message off, returns its content */
    struct bytes (*unwrap_data)(struct bytes *rest);     /* takes an event's data off what is left of it */
};

/* -- comparing */

static struct bytes take(struct bytes *rest, size_t size) {
    struct bytes taken = {rest->at, size};
    rest->at += size;
    rest->size -= size;
    return taken;
}

static bool skip(struct bytes *rest, struct bytes expected) {
    if (rest->size < expected.size || memcmp(rest->at, expected.at, expected.size) != 0)
        return false;
    take(rest, expected.size);
    return true;
}

static bool skip_form(struct bytes *rest, const struct form *form, struct bytes channel) {
    return skip(rest, form->before) && skip(rest, channel) && skip(rest, form->after);
}

static bool is_form(struct bytes message, const struct form *form, struct bytes channel) {
    return skip_form(&message, form, channel) && message.size == 0;
}

static bool is_same(struct bytes message, struct bytes expected) {
    return skip(&message, expected) && message.size == 0;
}

/* -- JSON: an object and a separator */

static size_t wrap_json(char *message, struct bytes content) {
    memcpy(message, content.at, content.size);
    message[content.size] = RECORD_SEPARATOR;
    return content.size + 1;
}

static struct bytes unwrap_json(struct bytes *messages) {
    const char *end = memchr(messages->at, RECORD_SEPARATOR, messages->size);
    if (!end)
        fail("a message that its frame does not hold whole");
    struct bytes content = take(messages, (size_t)(end - messages->at));
    take(messages, 1);
    return content;
}

static struct bytes unwrap_json_data(struct bytes *rest) {
    const char *end = memchr(rest->at, '"', rest->size);
    if (!end)
        fail("an event without data");
    return take(rest, (size_t)(end - rest->at));
}

/* -- MessagePack: a length, seven bits a byte, and an array */

static size_t wrap_messagepack(char *message, struct bytes content) {
    if (content.size > 0x7f)
        fail("the client's own messages have a length of one byte");
    message[0] = (char)content.size;
    memcpy(message + 1, content.at, content.size);
    return content.size + 1;
}

static struct bytes unwrap_messagepack(struct bytes *messages) {
    size_t size = 0, prefix = 0;
    unsigned char byte = 0x80;
    while (byte & 0x80 && prefix < messages->size && prefix < MAX_PREFIX) {
        byte = (unsigned char)messages->at[prefix];
        size |= (size_t)(byte & 0x7f) << (7 * prefix++);
    }
    if (byte & 0x80 || messages->size - prefix < size)
        fail("a message that its frame does not hold whole");
    take(messages, prefix);
    return take(messages, size);
}

/* Strings of up to 31, 255 and 65,535 bytes have heads of their own. Source: the MessagePack specification, "str". */
static struct bytes unwrap_messagepack_data(struct bytes *rest) {
    const unsigned char *head = (const unsigned char *)rest->at;
    size_t size = 0, head_size = 0;
    if (rest->size >= 1 && head[0] >> 5 == 5)
        size = head[0] & 0x1f, head_size = 1;
    else if (rest->size >= 2 && head[0] == 0xd9)
        size = head[1], head_size = 2;
    else if (rest->size >= 3 && head[0] == 0xda)
        size = (size_t)head[1] << 8 | head[2], head_size = 3;
    if (head_size == 0 || rest->size - head_size < size)
        fail("an event without data");
    take(rest, head_size);
    return take(rest, size);
}

/* -- what there is to say */

static const struct encoding json = {
    .frame_type = TEXT_FRAME,
    .handshake = BYTES("{\"protocol\":\"json\",\"version\":1}\x1e"),
    .ping = BYTES("{\"type\":6}"),
    .subscribe = {BYTES("{\"type\":1,\"invocationId\":\"1\",\"target\":\"Subscribe\",\"arguments\":[\""),
                  BYTES("\"]}")},
    .succeeded = {BYTES("{\"type\":1,\"target\":\"SubscriptionSucceeded\",\"arguments\":[{\"channel\":\""),
                  BYTES("\"}]}")},
    .completed = {BYTES("{\"type\":3,\"invocationId\":\"1\",\"result\":{\"channel\":\""), BYTES("\"}}")},
    .event = {BYTES("{\"type\":1,\"target\":\"Event\",\"arguments\":[{\"event\":\"bench\",\"channel\":\""),
              BYTES("\",\"data\":\"")},
    .event_end = BYTES("\"}]}"),
    .wrap = wrap_json,
    .unwrap = unwrap_json,
    .unwrap_data = unwrap_json_data,
};

/* \xab is the head of a string of eleven bytes, as all channels' names have. */
static const struct encoding messagepack = {
    .frame_type = BINARY_FRAME,
    .handshake = BYTES("{\"protocol\":\"messagepack\",\"version\":1}\x1e"),
    .ping = BYTES("\x91\x06"),
    .subscribe = {BYTES("\x96\x01\x80\xa1" "1" "\xa9" "Subscribe" "\x91\xab"), BYTES("\x90")},
    .succeeded = {BYTES("\x96\x01\x80\xc0\xb5" "SubscriptionSucceeded" "\x91\x81\xa7" "channel" "\xab"), BYTES("\x90")},
    .completed = {BYTES("\x95\x03\x80\xa1" "1" "\x03\x81\xa7" "channel" "\xab"), BYTES("")},
    .event = {BYTES("\x96\x01\x80\xc0\xa5" "Event" "\x91\x83\xa5" "event" "\xa5" "bench" "\xa7" "channel" "\xab"),
              BYTES("\xa4" "data")},
    .event_end = BYTES("\x90"),
    .wrap = wrap_messagepack,
    .unwrap = unwrap_messagepack,
    .unwrap_data = unwrap_messagepack_data,
};

static const struct encoding *encoding(void) {
    return channel_kind == SIGNALR_JSON ? &json : &messagepack;
}

/* -- what a client sends */

static void write_target(char *target, size_t capacity, const char *token) {
    if ((size_t)snprintf(target, capacity, "/push?access_token=%s", token) >= capacity)
        fail("the access token is too long");
}

static void shake_hands(struct subscriber *subscriber) {
    subscriber->stage = GREETING;
    /* In a text frame whatever the encoding, as Microsoft's JavaScript client does. */
    send_message(subscriber, encoding()->handshake.at, encoding()->handshake.size);
}

static void send_content(struct subscriber *subscriber, struct bytes content) {
    char message[MESSAGE];
    send_frame(subscriber, encoding()->frame_type, message, encoding()->wrap(message, content));
}

static struct bytes channel_of(const struct subscriber *subscriber, char name[CHANNEL_NAME]) {
    channel_name(subscriber->channel, name);
    return (struct bytes){name, strlen(name)};
}

static void subscribe_to_channel(struct subscriber *subscriber) {
    const struct form *form = &encoding()->subscribe;
    char name[CHANNEL_NAME], content[MESSAGE], *at = content;
    struct bytes channel = channel_of(subscriber, name);
    at = mempcpy(at, form->before.at, form->before.size);
    at = mempcpy(at, channel.at, channel.size);
    at = mempcpy(at, form->after.at, form->after.size);
    subscriber->stage = SUBSCRIBING;
    send_content(subscriber, (struct bytes){content, (size_t)(at - content)});
}

/* -- what it receives */

_Noreturn static void fail_unexpected(const struct subscriber *subscriber, struct bytes message) {
    fail("unexpected message to subscriber %u: %.*s", subscriber->number,
         (int)(message.size < 500 ? message.size : 500), message.at);
}

static void receive_event(struct subscriber *subscriber, struct bytes rest, uint64_t now) {
    struct bytes data = encoding()->unwrap_data(&rest);
    if (!is_same(rest, encoding()->event_end))
        fail_unexpected(subscriber, rest);
    ledger_receive(subscriber, data.at, data.size, now);
}

static void receive_message(struct subscriber *subscriber, struct bytes message, uint64_t now) {
    char name[CHANNEL_NAME];
    struct bytes channel = channel_of(subscriber, name), rest = message;
    if (subscriber->stage == SUBSCRIBED && skip_form(&rest, &encoding()->event, channel))
        receive_event(subscriber, rest, now);
    else if (is_same(message, encoding()->ping))
        /* Who is silent for long is cut off. Answering pings, a client sends as many as if it had a clock for them. */
        send_content(subscriber, encoding()->ping);
    else if (subscriber->stage == SUBSCRIBING && is_form(message, &encoding()->succeeded, channel))
        subscriber->stage = CONFIRMING;
    else if (subscriber->stage == CONFIRMING && is_form(message, &encoding()->completed, channel))
        subscriber_is_subscribed(subscriber);
    else
        fail_unexpected(subscriber, message);
}

static void receive(struct subscriber *subscriber, const char *payload, size_t size, uint64_t now) {
    struct bytes messages = {payload, size};
    if (subscriber->stage == GREETING) {
        if (!skip(&messages, BYTES("{}\x1e")))
            fail("the handshake was refused: %.*s", (int)(size < 500 ? size : 500), payload);
        subscribe_to_channel(subscriber);
    }
    while (messages.size > 0)
        receive_message(subscriber, encoding()->unwrap(&messages), now);
}

const struct protocol signalr_json = {TEXT_FRAME, write_target, shake_hands, receive};
const struct protocol signalr_messagepack = {BINARY_FRAME, write_target, shake_hands, receive};
