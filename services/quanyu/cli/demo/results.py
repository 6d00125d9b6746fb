"""The results of the demo, in the form that `--json` writes."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field


@dataclass(frozen=True, slots=True)
class Window:
    """A window of a rule, as local ISO instants; None for an open end."""

    text: str
    start: str | None
    end: str | None


@dataclass(frozen=True, slots=True)
class SegmentFound:
    """The size of a segment or of a tier of a tag, and the time of its evaluation."""

    rule: str
    count: int
    milliseconds: float
    windows: list[Window]


@dataclass(frozen=True, slots=True)
class CampaignRun:
    """The waterfall of a campaign, and the file that it delivered."""

    segment: str
    waterfall: list[tuple[str, int]]
    delivered: int
    file: str
    sha256: str


@dataclass(slots=True)
class WorldFound:
    """The results of one dataset."""

    events: int
    people: int
    ingest_seconds: float
    as_of: str
    segments: dict[str, SegmentFound] = field(default_factory=dict)
    campaign: CampaignRun | None = None


def as_json(peak_memory_mb: float, worlds: dict[str, WorldFound]) -> dict[str, object]:
    """Returns the structure that `--json` writes."""
    found = {name: asdict(world) for name, world in worlds.items()}
    for world in found.values():
        for segment in world["segments"].values():
            segment["windows"] = [{"text": w["text"], "from": w["start"], "to": w["end"]} for w in segment["windows"]]
    return {"peak_memory_mb": round(peak_memory_mb, 1), "worlds": found}
