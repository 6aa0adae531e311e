"""Looking into what all nodes together hold: connections, channels and users, as they are now."""
