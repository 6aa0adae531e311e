"""Departures wait in the database for the end of their grace period."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make their table."""
    op.create_table(
        "webhook_departures",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("place", sa.String(length=64), nullable=False),
        sa.Column("app_id", sa.String(length=200), nullable=False),
        sa.Column("time_ms", sa.BigInteger(), nullable=False),
        sa.Column("due_ms", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_departures")),
        sa.UniqueConstraint("place", name=op.f("uq_webhook_departures_place")),
    )
    op.create_index(op.f("ix_webhook_departures_due_ms"), "webhook_departures", ["due_ms"], unique=False)


def downgrade() -> None:
    """Drop it."""
    op.drop_table("webhook_departures")
