"""Delivery: how far who was erased is forgotten."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "forgotten",
        sa.Column("workspace", sa.String(63), nullable=False),
        sa.Column("raw_offset", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("workspace", name="pk_forgotten"),
    )


def downgrade() -> None:
    op.drop_table("forgotten")
