"""The admin API under ``/api/admin``."""
