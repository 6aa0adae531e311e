"""The channel core: apps, channels, events, presence and the hub. No I/O, no clock, no randomness of its own."""
