"""Sessions: one class per client protocol. Messages in become hub calls; events become frames out. No sockets here."""
