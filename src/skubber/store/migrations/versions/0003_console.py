"""What the console needs: its sessions, the log of attempts at webhooks."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "admin_sessions",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("token_id", sa.String(length=60), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["token_id"], ["admin_tokens.id"], name=op.f("fk_admin_sessions_token_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_admin_sessions")),
    )
    op.create_index(op.f("ix_admin_sessions_token_id"), "admin_sessions", ["token_id"], unique=False)

    op.add_column("webhook_endpoints", sa.Column("attempts", sa.BigInteger(), server_default="0", nullable=False))
    op.create_table(
        "webhook_attempts",
        sa.Column("endpoint_id", sa.String(length=60), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("delivered", sa.Boolean(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("milliseconds", sa.BigInteger(), nullable=False),
        sa.Column("event_count", sa.Integer(), nullable=False),
        sa.Column("events", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("endpoint_id", "slot", name=op.f("pk_webhook_attempts")),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("webhook_attempts")
    with op.batch_alter_table("webhook_endpoints") as endpoints:
        endpoints.drop_column("attempts")
    op.drop_table("admin_sessions")
