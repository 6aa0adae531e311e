#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { EVENT_OVERHEAD = 200, HEAD = 1024, RESPONSE = 16384 };

struct publisher {
    struct source source;
    uint32_t number;
    bool is_busy;
    char response[RESPONSE];
    size_t response_size;
};

static struct publisher *publishers[MAX_SENDERS];
static uint32_t publisher_count, requests_out, requests_done;

/* -- requests */

static size_t write_event(char *body, const struct publishing *publishing, uint32_t sender, uint32_t channel,
                          uint64_t due) {
    char name[CHANNEL_NAME];
    channel_name(channel, name);
    size_t size = (size_t)sprintf(body, "{\"name\":\"bench\",\"channel\":\"%s\",\"data\":\"", name);
    ledger_enter(sender, channel, channel_readers(channel), false, due, body + size);
    size += publishing->data_size;
    memcpy(body + size, "\"}", 2);
    return size + 2;
}

static size_t write_body(char *body, const struct publishing *publishing, uint32_t sender, uint32_t *event,
                         uint64_t due) {
    if (publishing->batch == 1)
        return write_event(body, publishing, sender, (*event)++ % channel_count, due);
    size_t size = (size_t)sprintf(body, "{\"batch\":[");
    for (uint32_t i = 0; i < publishing->batch; i++) {
        size += write_event(body + size, publishing, sender, (*event)++ % channel_count, due);
        body[size++] = ',';
    }
    memcpy(body + size - 1, "]}", 2);
    return size + 1;
}

static size_t write_signed_target(char *head, const char *path, const char *body, size_t body_size) {
    char query[256], text[512], md5[MD5_HEX], signature[SHA256_HEX];
    md5_hex(body, body_size, md5);
    snprintf(query, sizeof query, "auth_key=%s&auth_timestamp=%lld&auth_version=1.0&body_md5=%s", server.key,
             (long long)time(NULL), md5);
    int size = snprintf(text, sizeof text, "POST\n%s\n%s", path, query);
    hmac_hex(&server.secret, text, (size_t)size, signature);
    return (size_t)sprintf(head, "POST %s?%s&auth_signature=%s HTTP/1.1\r\n", path, query, signature);
}

static void send_request(struct publisher *publisher, const struct publishing *publishing, uint32_t *event,
                         uint64_t due) {
    static char body[MAX_BATCH * (MAX_DATA + EVENT_OVERHEAD)], request[HEAD + sizeof body];
    char path[256];
    size_t body_size = write_body(body, publishing, publisher->number, event, due), size;
    snprintf(path, sizeof path, "/apps/%s/%s", server.app_id, publishing->batch == 1 ? "events" : "batch_events");
    if (publishing->is_signed)
        size = write_signed_target(request, path, body, body_size);
    else
        size = (size_t)sprintf(request, "POST %s HTTP/1.1\r\nX-Api-Key: %s\r\nX-Api-Secret: %s\r\n", path, server.key,
                               server.plain_secret);
    size += (size_t)sprintf(request + size, "Host: %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
                            server.host, body_size);
    memcpy(request + size, body, body_size);
    publisher->is_busy = true;
    requests_out++;
    send_all(&publisher->source, request, size + body_size);
}

/* -- responses */

static const char *header(const char *head, const char *name) {
    size_t length = strlen(name);
    for (const char *line = strstr(head, "\r\n"); line; line = strstr(line + 2, "\r\n"))
        if (strncasecmp(line + 2, name, length) == 0)
            return line + 2 + length;
    return NULL;
}

static bool is_answer(const char *body) {
    return strcmp(body, "{}") == 0 || strncmp(body, "{\"batch\":[", 10) == 0 || strcmp(body, "ok") == 0;
}

/* Take the response, if it is whole. */
static void take_response(struct publisher *publisher) {
    char *response = publisher->response, *end = strstr(response, "\r\n\r\n");
    if (!end)
        return;
    const char *length = header(response, "content-length:");
    if (!length)
        fail("a response without a content-length: %.500s", response);
    size_t size = (size_t)(end + 4 - response) + strtoul(length, NULL, 10);
    if (publisher->response_size < size)
        return;
    if (publisher->response_size > size || strncmp(response, "HTTP/1.1 200", 12) != 0 || !is_answer(end + 4))
        fail("a publish was answered: %.500s", response);
    publisher->response_size = 0;
    publisher->is_busy = false;
    requests_out--;
    requests_done++;
}

static void publisher_readable(struct source *source) {
    struct publisher *publisher = (struct publisher *)source;
    size_t size = read_available(source, 0);
    if (publisher->response_size + size >= RESPONSE || !publisher->is_busy)
        fail("more of a response than was expected");
    memcpy(publisher->response + publisher->response_size, read_buffer, size);
    publisher->response_size += size;
    publisher->response[publisher->response_size] = 0;
    take_response(publisher);
}

/* -- pacing */

static void open_publishers(uint32_t count) {
    if (count == 0 || count > MAX_SENDERS)
        fail("1 to %d publishers", MAX_SENDERS);
    for (; publisher_count < count; publisher_count++) {
        struct publisher *publisher = publishers[publisher_count] = calloc(1, sizeof *publisher);
        publisher->number = publisher_count;
        publisher->source.readable = publisher_readable;
        open_connection(&publisher->source, publisher_count);
        watch(&publisher->source);
    }
}

void close_publishers(void) {
    for (; publisher_count > 0; publisher_count--) {
        close_abruptly(&publishers[publisher_count - 1]->source);
        free(publishers[publisher_count - 1]);
    }
}

/* Send on every free connection, while there is something to send. */
static void send_on_free(const struct publishing *publishing, uint32_t *event) {
    uint64_t now = now_ns();
    for (uint32_t i = 0; i < publishing->publishers && *event < publishing->events; i++)
        if (!publishers[i]->is_busy)
            send_request(publishers[i], publishing, event, now);
}

/* Send what has fallen due. A request that finds no free connection is late, and its latency counts from when it was
   due: a slow server must not slow its own measurement down. */
static void send_on_time(const struct publishing *publishing, uint32_t *event, uint64_t started) {
    while (*event < publishing->events) {
        uint64_t due = started + *event / publishing->batch * publishing->interval;
        if (now_ns() < due)
            return;
        uint32_t i = 0;
        while (i < publishing->publishers && publishers[i]->is_busy)
            i++;
        if (i == publishing->publishers)
            return;
        send_request(publishers[i], publishing, event, due);
    }
}

/* Milliseconds until the next request is due, rounded down: the last of them is spent looking, not sleeping. */
static int patience(const struct publishing *publishing, uint32_t event, uint64_t started) {
    if (publishing->pace != RATE || event >= publishing->events)
        return 1000;
    uint64_t due = started + event / publishing->batch * publishing->interval, now = now_ns();
    return now >= due ? 0 : (int)((due - now) / 1000000);
}

uint32_t publish(const struct publishing *publishing) {
    if (publishing->batch == 0 || publishing->batch > MAX_BATCH || publishing->events % publishing->batch != 0)
        fail("batches have 1 to %d events, all as many", MAX_BATCH);
    open_publishers(publishing->publishers);
    ledger_start(publishing->events, publishing->data_size);
    uint64_t started = now_ns();
    uint32_t event = 0;
    requests_done = 0;
    while (event < publishing->events || requests_out > 0 || ledger_outstanding() > 0) {
        if (publishing->pace == RATE)
            send_on_time(publishing, &event, started);
        else if (publishing->pace == FLOOD || (requests_out == 0 && ledger_outstanding() == 0))
            send_on_free(publishing, &event);
        poll_sources(patience(publishing, event, started));
    }
    return requests_done;
}
