"""The broker of many nodes: what they agree on is in Redis or Valkey, and events travel through its channels."""
