"""The process edge: sockets, TLS, signals, the HTTP lane and the WebSocket edge, and the assembly of all floors."""
