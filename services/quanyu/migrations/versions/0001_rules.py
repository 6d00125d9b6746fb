"""Published rules."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "rules",
        sa.Column("workspace", sa.String(63), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("author", sa.String(255), nullable=False),
        sa.Column("published_at_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("workspace", "name", "version", name="pk_rules"),
    )


def downgrade() -> None:
    op.drop_table("rules")
