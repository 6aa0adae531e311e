"""What the server tells a monitoring system about itself, read from its counters when it is asked."""
