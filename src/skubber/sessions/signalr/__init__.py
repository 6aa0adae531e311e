"""The server's side of SignalR: the session, its hub methods, negotiated connections, stateful reconnect."""
