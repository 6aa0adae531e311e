"""Called by Alembic, with the connection in its configuration."""

from alembic import context

from skubber.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
context.run_migrations()
