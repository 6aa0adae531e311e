#include "load.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <string.h>

_Static_assert(TLS_RECORD == SSL3_RT_MAX_PLAIN_LENGTH, "a record has one size");

static SSL_CTX *context;

static const char *last_error(void) {
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    return reason ? reason : strerror(errno);
}

void tls_initialize(void) {
    context = SSL_CTX_new(TLS_client_method());
    /* One version and one cipher: what is compared must not differ in what was agreed on. Nobody's certificate is
       checked, which is the default, and costs the server nothing either way. */
    if (!context || !SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) ||
        !SSL_CTX_set_ciphersuites(context, "TLS_AES_256_GCM_SHA384"))
        fail("TLS: %s", last_error());
    /* Thousands of clients, each with 34 KiB of buffers it does not need at the moment. */
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    signal(SIGPIPE, SIG_IGN); /* SSL_write cannot be asked to do without the signal, as send can */
}

struct ssl_st *tls_connect(int fd) {
    SSL *tls = SSL_new(context);
    if (!tls || !SSL_set_fd(tls, fd) || SSL_connect(tls) != 1)
        fail("TLS handshake: %s", last_error());
    return tls;
}

/* What a call's result says in the terms of send() and recv(). */
static ssize_t as_of_socket(SSL *tls, int result, const char *what) {
    if (result > 0)
        return result;
    switch (SSL_get_error(tls, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        errno = EAGAIN;
        return -1;
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    default:
        fail("%s: %s", what, last_error());
    }
}

ssize_t tls_send(struct ssl_st *tls, const void *data, size_t size) {
    ERR_clear_error();
    return as_of_socket(tls, SSL_write(tls, data, (int)size), "SSL_write");
}

ssize_t tls_receive(struct ssl_st *tls, void *buffer, size_t capacity) {
    ERR_clear_error();
    return as_of_socket(tls, SSL_read(tls, buffer, (int)capacity), "SSL_read");
}

void tls_free(struct ssl_st *tls) {
    SSL_free(tls);
}
