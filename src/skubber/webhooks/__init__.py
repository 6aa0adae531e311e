"""Webhooks: telling back ends what happens on their channels. A durable queue, and delivery from it."""
