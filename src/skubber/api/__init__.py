"""The Channels HTTP API as plain functions: a request value in, a response value out. No sockets, no ASGI."""
