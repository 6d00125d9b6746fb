"""Delivery: channels, consents, campaigns, plans and the ledger."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "channels",
        sa.Column("workspace", sa.String(63), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("namespace", sa.String(255), nullable=False),
        sa.Column("config", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("workspace", "name", name="pk_channels"),
    )
    op.create_table(
        "consents",
        sa.Column("workspace", sa.String(63), nullable=False),
        sa.Column("purpose", sa.String(255), nullable=False),
        sa.Column("persons", sa.LargeBinary, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("workspace", "purpose", name="pk_consents"),
    )
    op.create_table(
        "suppressions",
        sa.Column("workspace", sa.String(63), nullable=False),
        sa.Column("persons", sa.LargeBinary, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("workspace", name="pk_suppressions"),
    )
    op.create_table(
        "campaigns",
        sa.Column("workspace", sa.String(63), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("detail", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("workspace", "name", name="pk_campaigns"),
    )
    op.create_table(
        "campaign_versions",
        sa.Column("workspace", sa.String(63), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("segment", sa.String(255), nullable=False),
        sa.Column("segment_version", sa.Integer, nullable=False),
        sa.Column("channel", sa.String(255), nullable=False),
        sa.Column("purpose", sa.String(255), nullable=False),
        sa.Column("holdout_basis_points", sa.Integer, nullable=False),
        sa.Column("cap_messages", sa.Integer, nullable=False),
        sa.Column("cap_days", sa.Integer, nullable=False),
        sa.Column("coupon_prefix", sa.String(255), nullable=False),
        sa.Column("template", sa.String, nullable=False),
        sa.Column("as_of_ms", sa.BigInteger, nullable=True),
        sa.PrimaryKeyConstraint("workspace", "name", "version", name="pk_campaign_versions"),
    )
    op.create_table(
        "audiences",
        sa.Column("workspace", sa.String(63), nullable=False),
        sa.Column("segment", sa.String(255), nullable=False),
        sa.Column("as_of_ms", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.LargeBinary(32), nullable=False),
        sa.Column("raw_offset", sa.BigInteger, nullable=False),
        sa.Column("persons", sa.LargeBinary, nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("workspace", "segment", "as_of_ms", "sha256", name="pk_audiences"),
    )
    op.create_table(
        "jobs",
        sa.Column("workspace", sa.String(63), nullable=False),
        sa.Column("campaign", sa.String(255), nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("segment", sa.String(255), nullable=False),
        sa.Column("as_of_ms", sa.BigInteger, nullable=False),
        sa.Column("audience_sha256", sa.LargeBinary(32), nullable=False),
        sa.Column("planned_at_ms", sa.BigInteger, nullable=False),
        sa.Column("holdout_salt", sa.String, nullable=False),
        sa.Column("consent_revision", sa.BigInteger, nullable=False),
        sa.Column("suppression_revision", sa.BigInteger, nullable=False),
        sa.Column("eligible_count", sa.BigInteger, nullable=False),
        sa.Column("eligible", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("workspace", "campaign", "version", name="pk_jobs"),
    )
    op.create_table(
        "job_steps",
        sa.Column("workspace", sa.String(63), nullable=False),
        sa.Column("campaign", sa.String(255), nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("step", sa.String(32), nullable=False),
        sa.Column("remaining", sa.BigInteger, nullable=False),
        sa.Column("removed", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("workspace", "campaign", "version", "position", name="pk_job_steps"),
    )
    op.create_table(
        "shards",
        sa.Column("workspace", sa.String(63), nullable=False),
        sa.Column("campaign", sa.String(255), nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("people", sa.BigInteger, nullable=False),
        sa.Column("persons", sa.LargeBinary, nullable=False),
        sa.Column("is_open", sa.Boolean, nullable=False),
        sa.Column("is_made", sa.Boolean, nullable=False),
        sa.Column("owner", sa.String(255), nullable=False),
        sa.Column("leased_until_ms", sa.BigInteger, nullable=False),
        sa.Column("fence", sa.BigInteger, nullable=False),
        sa.Column("wake_at_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("workspace", "campaign", "version", "number", name="pk_shards"),
    )
    op.create_index("ix_shards_is_open_wake_at_ms", "shards", ["is_open", "wake_at_ms"])
    op.create_table(
        "messages",
        sa.Column("workspace", sa.String(63), nullable=False),
        sa.Column("campaign", sa.String(255), nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("shard", sa.BigInteger, nullable=False),
        sa.Column("person", sa.BigInteger, nullable=False),
        sa.Column("key", sa.LargeBinary(16), nullable=False),
        sa.Column("identifier", sa.String, nullable=False),
        sa.Column("coupon", sa.String(255), nullable=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_attempt_at_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("workspace", "campaign", "version", "shard", "person", name="pk_messages"),
        sa.UniqueConstraint("workspace", "key", name="uq_messages_workspace_key"),
        sa.UniqueConstraint("workspace", "coupon", name="uq_messages_coupon"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "attempts",
        sa.Column("workspace", sa.String(63), nullable=False),
        sa.Column("campaign", sa.String(255), nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("shard", sa.BigInteger, nullable=False),
        sa.Column("person", sa.BigInteger, nullable=False),
        sa.Column("attempt", sa.BigInteger, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("detail", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("workspace", "campaign", "version", "shard", "person", "attempt", name="pk_attempts"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "dead_letters",
        sa.Column("workspace", sa.String(63), nullable=False),
        sa.Column("campaign", sa.String(255), nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("person", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("workspace", "campaign", "version", "person", name="pk_dead_letters"),
    )
    op.create_table(
        "cap_entries",
        sa.Column("workspace", sa.String(63), nullable=False),
        sa.Column("channel", sa.String(255), nullable=False),
        sa.Column("day", sa.BigInteger, nullable=False),
        sa.Column("person", sa.BigInteger, nullable=False),
        sa.Column("key", sa.LargeBinary(16), nullable=False),
        sa.PrimaryKeyConstraint("workspace", "channel", "day", "person", "key", name="pk_cap_entries"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "outputs",
        sa.Column("workspace", sa.String(63), nullable=False),
        sa.Column("campaign", sa.String(255), nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("path", sa.String(1024), nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.LargeBinary(32), nullable=False),
        sa.PrimaryKeyConstraint("workspace", "campaign", "version", "path", name="pk_outputs"),
    )


def downgrade() -> None:
    op.drop_table("outputs")
    op.drop_table("cap_entries")
    op.drop_table("dead_letters")
    op.drop_table("attempts")
    op.drop_table("messages")
    op.drop_table("shards")
    op.drop_table("job_steps")
    op.drop_table("jobs")
    op.drop_table("audiences")
    op.drop_table("campaign_versions")
    op.drop_table("campaigns")
    op.drop_table("suppressions")
    op.drop_table("consents")
    op.drop_table("channels")
