"""Skubber: a self-hosted realtime push server that speaks Pusher Channels and SignalR on one port."""

__version__ = "0.1.0"
