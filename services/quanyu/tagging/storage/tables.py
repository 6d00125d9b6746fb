"""The tables that tagging owns."""

from __future__ import annotations

from sqlalchemy import BigInteger, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from quanyu.runtime.storage.database import Base

LONGEST_NAME = 255


class PublishedRule(Base):
    """One version of a definition, metric, segment or tag. Rows are never changed."""

    __tablename__ = "rules"

    workspace: Mapped[str] = mapped_column(String(63), primary_key=True)
    name: Mapped[str] = mapped_column(String(LONGEST_NAME), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    # define, metric, segment or tag.
    kind: Mapped[str] = mapped_column(String(16))
    # Canonical, every name with its version: parsing it again gives what was published.
    text: Mapped[str] = mapped_column(Text)
    author: Mapped[str] = mapped_column(String(255))
    published_at_ms: Mapped[int] = mapped_column(BigInteger)


OPEN, APPROVED, REJECTED = "open", "approved", "rejected"


class Proposal(Base):
    """A text that somebody laid before others. It is decided once; rows are never removed."""

    __tablename__ = "proposals"

    id: Mapped[int] = mapped_column(primary_key=True)
    workspace: Mapped[str] = mapped_column(String(63), index=True)
    # Canonical, every name with its version: what an approval publishes.
    text: Mapped[str] = mapped_column(Text)
    author: Mapped[str] = mapped_column(String(255))
    note: Mapped[str] = mapped_column(Text)
    # DescribeImpactResponse bytes, of when it was proposed.
    impact: Mapped[bytes] = mapped_column(LargeBinary)
    proposed_at_ms: Mapped[int] = mapped_column(BigInteger)
    # open, approved or rejected.
    state: Mapped[str] = mapped_column(String(16))
    decided_by: Mapped[str] = mapped_column(String(255), default="")
    decision_note: Mapped[str] = mapped_column(Text, default="")
    decided_at_ms: Mapped[int | None] = mapped_column(BigInteger)


class Draft(Base):
    """A text on the way to a rule; it may be wrong. Each save is the next revision, and the one before is gone."""

    __tablename__ = "drafts"

    workspace: Mapped[str] = mapped_column(String(63), primary_key=True)
    name: Mapped[str] = mapped_column(String(LONGEST_NAME), primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    revision: Mapped[int] = mapped_column(BigInteger)
    author: Mapped[str] = mapped_column(String(255))
    saved_at_ms: Mapped[int] = mapped_column(BigInteger)
