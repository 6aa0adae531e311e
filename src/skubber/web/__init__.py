"""The cold routes: documentation, health, the demo page. A Starlette application."""
