"""The tables that tagging owns."""

from __future__ import annotations

from sqlalchemy import BigInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from quanyu.runtime.db import Base

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
