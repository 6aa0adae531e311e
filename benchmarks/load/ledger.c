#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The data of an event: sender, sequence number on its channel, number in the run, then padding to the size wanted.
   The sequence number proves order and completeness, the number in the run finds the entry. */
enum { SENDER = 0, SEQUENCE = 5, EVENT = 16, PADDING = 27 };

struct entry {
    uint64_t due;
    uint32_t sender, outstanding;
    bool is_echo_forbidden;
};

static struct entry *entries;
static uint64_t *latencies;
static uint32_t entry_count, capacity, finished;
static uint64_t outstanding, delivered;
static size_t data_size;
static char padding[MAX_DATA];

static uint32_t *sequences; /* by channel and sender */
static uint32_t channels;

void ledger_prepare(uint32_t new_channels) {
    channels = new_channels;
    free(sequences);
    sequences = calloc((size_t)channels * MAX_SENDERS, sizeof *sequences);
}

uint32_t ledger_next(uint32_t sender, uint32_t channel) {
    return sequences[(size_t)channel * MAX_SENDERS + sender];
}

void ledger_start(uint32_t events, size_t new_data_size) {
    if (outstanding > 0)
        fail("%llu deliveries of the run before are outstanding", (unsigned long long)outstanding);
    if (new_data_size < PADDING || new_data_size > MAX_DATA)
        fail("data has %d to %d bytes", PADDING, MAX_DATA);
    entries = realloc(entries, events * sizeof *entries);
    latencies = realloc(latencies, events * sizeof *latencies);
    capacity = events;
    entry_count = finished = 0;
    delivered = 0;
    data_size = new_data_size;
    memset(padding, 'x', sizeof padding);
}

void ledger_enter(uint32_t sender, uint32_t channel, uint32_t recipients, bool is_echo_forbidden, uint64_t due,
                  char *data) {
    if (entry_count == capacity)
        fail("more events than announced");
    uint32_t sequence = sequences[(size_t)channel * MAX_SENDERS + sender]++;
    snprintf(data, PADDING + 1, "%04u %010u %010u ", sender, sequence, entry_count);
    memcpy(data + PADDING, padding, data_size - PADDING);
    entries[entry_count++] = (struct entry){due, sender, recipients, is_echo_forbidden};
    outstanding += recipients;
}

static uint32_t number_at(const char *text) {
    uint32_t number = 0;
    while (*text >= '0' && *text <= '9')
        number = number * 10 + (uint32_t)(*text++ - '0');
    return number;
}

void ledger_receive(struct subscriber *subscriber, const char *data, size_t size, uint64_t now) {
    if (size != data_size)
        fail("an event of %zu bytes arrived with %zu", data_size, size);
    uint32_t sender = number_at(data + SENDER), sequence = number_at(data + SEQUENCE), event = number_at(data + EVENT);
    if (event >= entry_count || sender != entries[event].sender)
        fail("subscriber %u received an event nobody sent: %.*s", subscriber->number, PADDING, data);
    if (sequence != subscriber->next[sender])
        fail("subscriber %u received number %u of sender %u, not %u", subscriber->number, sequence, sender,
             subscriber->next[sender]);
    if (memcmp(data + PADDING, padding, size - PADDING) != 0)
        fail("the data of an event has changed on its way");
    subscriber->next[sender]++;
    struct entry *entry = &entries[event];
    if (entry->outstanding == 0 || (entry->is_echo_forbidden && subscriber->number == sender))
        fail("subscriber %u received an event that is not for it", subscriber->number);
    delivered++, outstanding--;
    if (--entry->outstanding == 0)
        latencies[finished++] = now > entry->due ? now - entry->due : 0;
}

uint64_t ledger_outstanding(void) {
    return outstanding;
}

uint64_t ledger_delivered(void) {
    return delivered;
}

static int compare(const void *left, const void *right) {
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

/* From an event's due time to its last receiver, microseconds, sorted: who reads them makes the percentiles, over
   several runs if need be. */
void ledger_print_latency(void) {
    qsort(latencies, finished, sizeof *latencies, compare);
    printf("[");
    for (uint32_t i = 0; i < finished; i++)
        printf("%s%.1f", i ? "," : "", (double)latencies[i] / 1000);
    printf("]");
}
