"""Brokers: what connects nodes to each other. Each implements ``skubber.core.broker.Broker``."""
