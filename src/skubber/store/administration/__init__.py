"""What an operator does to the database: apps, keys, plans, webhooks and admin tokens, each change on the record."""
