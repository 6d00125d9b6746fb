"""The database tables of the tagging service."""

from __future__ import annotations

from sqlalchemy import BigInteger, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from quanyu.runtime.storage.database import Base

LONGEST_NAME = 255


class PublishedRule(Base):
    """One version of a definition, metric, segment or tag. A row never changes."""

    __tablename__ = "rules"

    workspace: Mapped[str] = mapped_column(String(63), primary_key=True)
    name: Mapped[str] = mapped_column(String(LONGEST_NAME), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    # define, metric, segment or tag.
    kind: Mapped[str] = mapped_column(String(16))
    # Canonical text in which every name has its version: parsing it gives the rule that was published.
    text: Mapped[str] = mapped_column(Text)
    author: Mapped[str] = mapped_column(String(255))
    published_at_ms: Mapped[int] = mapped_column(BigInteger)


OPEN, APPROVED, REJECTED = "open", "approved", "rejected"


class Proposal(Base):
    """A text proposed for publication. It is decided once; a row is never removed."""

    __tablename__ = "proposals"

    id: Mapped[int] = mapped_column(primary_key=True)
    workspace: Mapped[str] = mapped_column(String(63), index=True)
    # Canonical text in which every name has its version: an approval publishes this text.
    text: Mapped[str] = mapped_column(Text)
    author: Mapped[str] = mapped_column(String(255))
    note: Mapped[str] = mapped_column(Text)
    # Bytes of a DescribeImpactResponse from the time of the proposal.
    impact: Mapped[bytes] = mapped_column(LargeBinary)
    proposed_at_ms: Mapped[int] = mapped_column(BigInteger)
    # open, approved or rejected.
    state: Mapped[str] = mapped_column(String(16))
    decided_by: Mapped[str] = mapped_column(String(255), default="")
    decision_note: Mapped[str] = mapped_column(Text, default="")
    decided_at_ms: Mapped[int | None] = mapped_column(BigInteger)


class Draft(Base):
    """An unpublished text, which may have errors. Each save makes the next revision and overwrites the last one."""

    __tablename__ = "drafts"

    workspace: Mapped[str] = mapped_column(String(63), primary_key=True)
    name: Mapped[str] = mapped_column(String(LONGEST_NAME), primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    revision: Mapped[int] = mapped_column(BigInteger)
    author: Mapped[str] = mapped_column(String(255))
    saved_at_ms: Mapped[int] = mapped_column(BigInteger)
