"""Several processes on one port: a parent that starts them, and what each of them is told."""
