/* The load generator: Pusher and SignalR clients, and publishers, by the thousand, on one core, that check all they
   receive.

   load URL APP KEY SECRET

   Reads commands from standard input, one a line ("connect count=1000 channels=1 kind=public"), carries each out to
   its end and answers with one line of JSON. Between commands it does nothing, so that whoever gives them can look at
   the server's clocks. Anything the server does wrong is {"error": ...} and the end. */

#include "load.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct server server;

uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

_Noreturn void fail(const char *format, ...) {
    char message[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    printf("{\"error\":\"");
    for (const char *at = message; *at; at++) {
        if ((unsigned char)*at < ' ' || (unsigned char)*at > '~')
            putchar(' ');
        else if (*at == '"' || *at == '\\')
            printf("\\%c", *at);
        else
            putchar(*at);
    }
    printf("\"}\n");
    exit(1);
}

static void find_server(const char *url) {
    char scheme[6], name[100], port[8] = "";
    if (sscanf(url, "%5[a-z]://%99[^:/]:%7[0-9]", scheme, name, port) < 2 ||
        (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0))
        fail("give the server as http://host:port or https://host:port");
    server.is_tls = strcmp(scheme, "https") == 0;
    if (!*port)
        strcpy(port, server.is_tls ? "443" : "80");
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found;
    int error = getaddrinfo(name, port, &hints, &found);
    if (error)
        fail("%s: %s", name, gai_strerror(error));
    memcpy(&server.address, found->ai_addr, sizeof server.address);
    freeaddrinfo(found);
    server.is_loopback = ntohl(server.address.sin_addr.s_addr) >> 24 == 127;
    snprintf(server.host, sizeof server.host, "%s:%s", name, port);
}

/* -- commands */

enum { MAX_OPTIONS = 16 };

static struct {
    const char *name, *value;
} options[MAX_OPTIONS];
static int option_count;

static void read_options(void) {
    option_count = 0;
    for (char *word; (word = strtok(NULL, " \n"));) {
        char *equals = strchr(word, '=');
        if (!equals || option_count == MAX_OPTIONS)
            fail("options are NAME=VALUE, not %s", word);
        *equals = 0;
        options[option_count].name = word;
        options[option_count++].value = equals + 1;
    }
}

static const char *text_option(const char *name) {
    for (int i = 0; i < option_count; i++)
        if (strcmp(options[i].name, name) == 0)
            return options[i].value;
    fail("the command lacks %s", name);
}

static uint32_t option(const char *name) {
    return (uint32_t)strtoul(text_option(name), NULL, 10);
}

/* The place of an option's value among the words it may be. */
static int choice(const char *name, const char *const words[], int count) {
    const char *value = text_option(name);
    for (int i = 0; i < count; i++)
        if (strcmp(words[i], value) == 0)
            return i;
    fail("%s cannot be %s", name, value);
}

static void command_connect(void) {
    static const char *const kinds[] = {"unsubscribed", "public",       "private",
                                        "presence",     "signalr-json", "signalr-messagepack"};
    connect_subscribers(option("count"), option("channels"), (enum kind)choice("kind", kinds, 6), text_option("token"),
                        option("in_flight"));
}

static uint32_t requests, hang_ups;
static uint64_t presence_messages_before;

static void print_deliveries(void) {
    printf("\"requests\":%u,\"delivered\":%llu,\"latencies\":", requests, (unsigned long long)ledger_delivered());
    ledger_print_latency();
    printf(",");
}

static void print_hang_ups(void) {
    printf("\"count\":%u,", hang_ups);
}

static void print_presence(void) {
    printf("\"delivered\":%llu,", (unsigned long long)(presence_messages() - presence_messages_before));
}

static void command_publish(void) {
    static const char *const paces[] = {"ticks", "flood", "rate"}, *const signatures[] = {"plain", "signed"};
    struct publishing publishing = {
        .events = option("events"),
        .publishers = option("publishers"),
        .batch = option("batch"),
        .data_size = option("data_size"),
        .is_signed = choice("authentication", signatures, 2),
        .pace = (enum pace)choice("pace", paces, 3),
        .interval = option("interval"),
    };
    requests = publish(&publishing);
}

static void command_client_events(void) {
    send_client_events(option("rounds"), option("data_size"));
    requests = 0;
}

static void command_join(void) {
    join_members(option("in_flight"));
    presence_messages_before = 0;
}

static void command_leave(void) {
    presence_messages_before = presence_messages();
    leave_members(option("in_flight"));
}

static void command_stall(void) {
    stall_subscribers(option("count"));
}

static void command_await_hang_ups(void) {
    hang_ups = await_hang_ups(option("seconds"));
}

static void command_close(void) {
    close_subscribers();
    close_publishers();
}

static const struct {
    const char *name;
    void (*run)(void);
    void (*print)(void); /* the results, when the run and its clock are over */
} commands[] = {
    {"connect", command_connect, NULL},
    {"publish", command_publish, print_deliveries},
    {"client_events", command_client_events, print_deliveries},
    {"join", command_join, print_presence},
    {"leave", command_leave, print_presence},
    {"stall", command_stall, NULL},
    {"await_hang_ups", command_await_hang_ups, print_hang_ups},
    {"close", command_close, NULL},
};

static void run_command(char *line) {
    const char *name = strtok(line, " \n");
    for (size_t i = 0; name && i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(commands[i].name, name) != 0)
            continue;
        read_options();
        restart_patience();
        poll_sources(0); /* what should not have come after the last command is found here */
        uint64_t started = now_ns();
        commands[i].run();
        double seconds = (double)(now_ns() - started) / 1e9;
        printf("{");
        if (commands[i].print)
            commands[i].print();
        printf("\"seconds\":%.9f}\n", seconds);
        fflush(stdout);
        return;
    }
    fail("there is no command %s", name ? name : "of no name");
}

int main(int count, char **arguments) {
    static char output[1 << 20], line[1024];
    setvbuf(stdout, output, _IOFBF, sizeof output);
    if (count != 5)
        fail("load URL APP KEY SECRET");
    find_server(arguments[1]);
    server.app_id = arguments[2];
    server.key = arguments[3];
    server.plain_secret = arguments[4];
    digest_initialize();
    hmac_prepare(&server.secret, arguments[4]);
    sockets_initialize();
    ledger_prepare(channel_count);
    while (fgets(line, sizeof line, stdin))
        run_command(line);
    return 0;
}
