#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NOBODY = UINT32_MAX };

/* Who has been told of whose coming and going: one byte for each pair, so that nothing is told twice or not at all. */
static unsigned char *told_of_arrival, *told_of_departure;
static uint64_t counted_on_arrival, arrivals, departures;
static uint32_t joined, gone;

uint64_t presence_messages(void) {
    return arrivals + departures;
}

/* -- subscribing with a signature */

size_t sign_subscription(const struct subscriber *subscriber, char *fields, size_t capacity) {
    char name[CHANNEL_NAME], text[256], signature[SHA256_HEX];
    channel_name(subscriber->channel, name);
    int size = snprintf(text, sizeof text, "%s:%s", subscriber->socket_id, name);
    if (channel_kind == PRIVATE) {
        hmac_hex(&server.secret, text, (size_t)size, signature);
        return (size_t)snprintf(fields, capacity, ",\"auth\":\"%s:%s\"", server.key, signature);
    }
    size += snprintf(text + size, sizeof text - (size_t)size, ":{\"user_id\":\"%u\",\"user_info\":{\"name\":\"n%u\"}}",
                     subscriber->number, subscriber->number);
    hmac_hex(&server.secret, text, (size_t)size, signature);
    return (size_t)snprintf(fields, capacity,
                            ",\"auth\":\"%s:%s\",\"channel_data\":"
                            "\"{\\\"user_id\\\":\\\"%u\\\",\\\"user_info\\\":{\\\"name\\\":\\\"n%u\\\"}}\"",
                            server.key, signature, subscriber->number, subscriber->number);
}

/* -- what members are told of each other */

static uint32_t number_after(const char *message, size_t size, const char *text) {
    const char *found = memmem(message, size, text, strlen(text));
    return found ? (uint32_t)strtoul(found + strlen(text), NULL, 10) : NOBODY;
}

void member_subscribed(struct subscriber *subscriber, const char *message, size_t size) {
    uint32_t count = number_after(message, size, "\\\"count\\\":");
    if (count == 0 || count > subscriber_count)
        fail("subscriber %u joined a channel without a count of members", subscriber->number);
    counted_on_arrival += count;
    joined++;
}

void member_changed(struct subscriber *subscriber, const char *message, size_t size, bool has_joined) {
    uint32_t member = number_after(message, size, "\\\"user_id\\\":\\\"");
    unsigned char *told = has_joined ? told_of_arrival : told_of_departure;
    if (!told || member >= subscriber_count || member == subscriber->number ||
        (subscriber->stage != SUBSCRIBED && subscriber->stage != LEAVING))
        fail("subscriber %u was told of what does not concern it: %.*s", subscriber->number, (int)size, message);
    size_t pair = (size_t)subscriber->number * subscriber_count + member;
    if (told[pair]++)
        fail("subscriber %u was told twice of member %u", subscriber->number, member);
    if (has_joined)
        arrivals++;
    else
        departures++;
}

void member_left(struct subscriber *subscriber) {
    if (subscriber->stage != LEAVING)
        fail("a pong without a ping");
    subscriber->stage = IDLE;
    gone++;
}

/* -- joining and leaving */

static uint64_t pairs(void) {
    return (uint64_t)subscriber_count * (subscriber_count - 1) / 2;
}

/* Everyone hears of each other member once: on the list it is handed when it joins, or when that member joins later. */
void join_members(uint32_t in_flight) {
    size_t size = (size_t)subscriber_count * subscriber_count;
    free(told_of_arrival);
    free(told_of_departure);
    told_of_arrival = calloc(size, 1);
    told_of_departure = calloc(size, 1);
    counted_on_arrival = arrivals = departures = 0;
    joined = gone = 0;
    uint32_t started = 0;
    while (joined < subscriber_count || arrivals < pairs()) {
        while (started < subscriber_count && started - joined < in_flight)
            subscribe(&subscribers[started++]);
        poll_sources(1000);
    }
    if (arrivals != pairs() || counted_on_arrival + arrivals != size)
        fail("members were told of %llu others in all, not %zu", (unsigned long long)(counted_on_arrival + arrivals),
             size);
}

static void leave(struct subscriber *subscriber) {
    static const char ping[] = "{\"event\":\"pusher:ping\",\"data\":{}}";
    char name[CHANNEL_NAME], message[128];
    channel_name(subscriber->channel, name);
    int size =
        snprintf(message, sizeof message, "{\"event\":\"pusher:unsubscribe\",\"data\":{\"channel\":\"%s\"}}", name);
    subscriber->stage = LEAVING;
    send_message(subscriber, message, (size_t)size);
    /* Nothing answers an unsubscribe; the pong comes after it has been done. */
    send_message(subscriber, ping, sizeof ping - 1);
}

void leave_members(uint32_t in_flight) {
    uint32_t started = 0;
    while (gone < subscriber_count || departures < pairs()) {
        while (started < subscriber_count && started - gone < in_flight)
            leave(&subscribers[started++]);
        poll_sources(1000);
    }
}

/* -- client events */

void send_client_events(uint32_t rounds, size_t data_size) {
    static char message[MAX_DATA + 256];
    if (subscriber_count > MAX_SENDERS)
        fail("at most %d members send client events", MAX_SENDERS);
    ledger_start(rounds * subscriber_count, data_size);
    for (uint32_t round = 0; round < rounds; round++) {
        for (uint32_t number = 0; number < subscriber_count; number++) {
            struct subscriber *sender = &subscribers[number];
            char name[CHANNEL_NAME];
            channel_name(sender->channel, name);
            size_t size = (size_t)sprintf(message, "{\"event\":\"client-bench\",\"channel\":\"%s\",\"data\":\"", name);
            ledger_enter(number, sender->channel, channel_readers(sender->channel) - 1, true, now_ns(), message + size);
            size += data_size;
            memcpy(message + size, "\"}", 2);
            send_message(sender, message, size + 2);
        }
        while (ledger_outstanding() > 0)
            poll_sources(1000);
    }
}
