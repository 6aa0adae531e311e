#include "load.h"

#include <stdio.h>
#include <string.h>

/* -- what a client sends */

static void write_target(char *target, size_t capacity, const char *token) {
    (void)token;
    snprintf(target, capacity, "/app/%s?protocol=7&client=benchmark&version=1.0&flash=false", server.key);
}

static void await_greeting(struct subscriber *subscriber) {
    subscriber->stage = GREETING;
}

void subscribe(struct subscriber *subscriber) {
    char name[CHANNEL_NAME], fields[512] = "", message[1024];
    channel_name(subscriber->channel, name);
    if (channel_kind != PUBLIC)
        sign_subscription(subscriber, fields, sizeof fields);
    int size = snprintf(message, sizeof message, "{\"event\":\"pusher:subscribe\",\"data\":{\"channel\":\"%s\"%s}}",
                        name, fields);
    subscriber->stage = SUBSCRIBING;
    send_message(subscriber, message, (size_t)size);
}

/* -- what it receives */

static void greeted(struct subscriber *subscriber, const char *message, size_t size) {
    const char *id = AFTER(message, size, "socket_id\\\":\\\"");
    size_t length = id ? strcspn(id, "\\\"") : 0;
    if (length == 0 || length >= sizeof subscriber->socket_id)
        fail("a greeting without a socket id: %.*s", (int)size, message);
    memcpy(subscriber->socket_id, id, length);
    if (channel_kind == PUBLIC || channel_kind == PRIVATE) {
        subscribe(subscriber);
        return;
    }
    subscriber_is_idle(subscriber);
}

static void subscribed(struct subscriber *subscriber, const char *message, size_t size) {
    if (subscriber->stage != SUBSCRIBING)
        fail("a subscription succeeded that nobody asked for");
    subscriber_is_subscribed(subscriber);
    if (channel_kind == PRESENCE)
        member_subscribed(subscriber, message, size);
}

static void receive_control(struct subscriber *subscriber, const char *event, const char *message, size_t size) {
    if (IS(event, "pusher:connection_established\""))
        greeted(subscriber, message, size);
    else if (IS(event, "pusher_internal:subscription_succeeded\""))
        subscribed(subscriber, message, size);
    else if (IS(event, "pusher_internal:member_added\""))
        member_changed(subscriber, message, size, true);
    else if (IS(event, "pusher_internal:member_removed\""))
        member_changed(subscriber, message, size, false);
    else if (IS(event, "pusher:pong\""))
        member_left(subscriber);
    else if (IS(event, "pusher:ping\""))
        send_message(subscriber, "{\"event\":\"pusher:pong\",\"data\":{}}", 33);
    else if (!IS(event, "pusher_internal:subscription_count\""))
        fail("unexpected message: %.*s", (int)(size < 500 ? size : 500), message);
}

static void receive_message(struct subscriber *subscriber, const char *message, size_t size, uint64_t now) {
    const char *event = AFTER(message, size, "\"event\":\"");
    if (!event)
        fail("a message without an event: %.*s", (int)(size < 500 ? size : 500), message);
    if (IS(event, "pusher")) {
        receive_control(subscriber, event, message, size);
        return;
    }
    if (!IS(event, "bench\"") && !IS(event, "client-bench\""))
        fail("an event of another name: %.*s", (int)(size < 500 ? size : 500), message);
    const char *data = AFTER(message, size, "\"data\":\"");
    const char *end = data ? memchr(data, '"', size - (size_t)(data - message)) : NULL;
    if (!end)
        fail("an event without data");
    ledger_receive(subscriber, data, (size_t)(end - data), now);
}

const struct protocol pusher = {TEXT_FRAME, write_target, await_greeting, receive_message};
