"""How a server has fared: a sample each second, kept for an hour, and for a month by the hour."""
