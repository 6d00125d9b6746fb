"""An erased person disappears from all answers at once and from all files soon; other people stay unchanged."""

from __future__ import annotations

import random
import shutil
import signal
import time
from pathlib import Path

import grpc
import pytest

from quanyu.api.delivery.v1 import delivery_pb2
from quanyu.api.event.v1 import event_pb2
from quanyu.api.identity.v1 import identity_pb2
from quanyu.api.ingestion.v1 import ingestion_pb2
from quanyu.api.tagging.v1 import tagging_pb2
from tests.integration.server_process import ALL, FLOW, Quanyu, reason, running
from tests.integration.shop import SCHEMA, batch, identifiers, lives_in, order
from tests.seed import SEED
from tests.waiting import PATIENCE, wait_until

ANN = "card:card-of-ann+phone:13911112222"
DEVICE = "device:device-of-ann"
# Texts that only occur in the records of ann.
TEXTS = ["card-of-ann", "13911112222", "device-of-ann", "order-of-ann", "Atlantis", "ann-likes-this"]
OTHERS = 200


def records_of_ann() -> list[event_pb2.Record]:
    return [
        order("order-of-ann-1", ANN, 3, "4321.77", product="ann-likes-this"),
        order("order-of-ann-2", f"{ANN}+{DEVICE}", 2),
        order("order-of-ann-3", DEVICE, 1),
        lives_in("card:card-of-ann", "Atlantis"),
    ]


def fill(quanyu: Quanyu) -> int:
    """Ingests ann and others in many frames, with dead letters. Returns the raw offset to wait for."""
    quanyu.ingestion.PutSchema(ingestion_pb2.PutSchemaRequest(workspace=quanyu.workspace, schema=SCHEMA))
    for number, record in enumerate(records_of_ann()):
        others = [order(f"{number}-{other}", f"card:other-{other}", 2) for other in range(number, OTHERS, 4)]
        quanyu.ingestion.Ingest(batch(quanyu.workspace, *others, record))
    refused = order("order-of-ann-4", ANN, 1)
    refused.event.type = "nothing"
    answer = quanyu.ingestion.Ingest(batch(quanyu.workspace, refused, lives_in("card:other-1", "Beijing")))
    assert len(answer.rejects) == 1
    publish = tagging_pb2.PublishRuleRequest(
        workspace=quanyu.workspace, text="segment buyers: did order ever", min_raw_offset=answer.raw_offset
    )
    quanyu.tagging.PublishRule(publish, timeout=PATIENCE)
    return int(answer.raw_offset)


def resolve(quanyu: Quanyu, text: str, offset: int = 0) -> int:
    request = identity_pb2.ResolveRequest(
        workspace=quanyu.workspace, identifier=identifiers(text)[0], min_raw_offset=offset
    )
    return int(quanyu.identity.Resolve(request, timeout=PATIENCE).person)


def resolve_others(quanyu: Quanyu, offset: int) -> list[int]:
    return [resolve(quanyu, f"card:other-{other}", offset) for other in range(OTHERS)]


def erase(quanyu: Quanyu, **person: object) -> identity_pb2.EraseResponse:
    request = identity_pb2.EraseRequest(
        workspace=quanyu.workspace, idempotency_key="ticket 1", by="zoe", why="asked to", **person
    )
    return quanyu.identity.Erase(request, timeout=PATIENCE)


def matched(quanyu: Quanyu, offset: int) -> int:
    request = tagging_pb2.PreviewRuleRequest(workspace=quanyu.workspace, text="in segment buyers")
    request.as_of.min_raw_offset = offset
    return int(quanyu.tagging.PreviewRule(request, timeout=PATIENCE).sets[0].matched)


def find_texts(data: Path, texts: list[str] = TEXTS) -> list[str]:
    """Returns the files that still contain one of the texts."""
    found = []
    for path in data.rglob("*"):
        try:
            contents = path.read_bytes() if path.is_file() else b""
        except FileNotFoundError:  # the server replaced the file
            return ["changing"]
        found += [f"{text} in {path}" for text in texts if text.encode() in contents]
    return found


def wait_until_gone(data: Path) -> None:
    wait_until(lambda: not find_texts(data), pause=0.1)


@pytest.mark.parametrize("groups", [[FLOW], [(service,) for service in FLOW]], ids=["one process", "a process each"])
def test_an_erased_person_disappears_from_answers_and_files(groups: list[tuple[str, ...]], tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data, groups) as quanyu:
        offset = fill(quanyu)
        ann = resolve(quanyu, ANN, offset)
        others = resolve_others(quanyu, offset)
        assert matched(quanyu, offset) == OTHERS + 1

        erased = erase(quanyu, identifier=identifiers(ANN)[0])
        assert erased.person == ann
        assert [resolve(quanyu, text) for text in (*ANN.split("+"), DEVICE)] == [0, 0, 0]
        assert matched(quanyu, erased.raw_offset) == OTHERS
        for ask in (
            lambda: quanyu.identity.GetPerson(identity_pb2.GetPersonRequest(workspace="shop", person=ann)),
            lambda: quanyu.tagging.GetProfile(tagging_pb2.GetProfileRequest(workspace="shop", person=ann)),
            lambda: quanyu.identity.Erase(
                identity_pb2.EraseRequest(workspace="shop", person=ann, idempotency_key="ticket 2")
            ),
        ):
            with pytest.raises(grpc.RpcError) as refused:
                ask()
            assert reason(refused.value)[1] == "UNKNOWN_PERSON"
        assert erase(quanyu, person=ann) == erased
        for another in ({"person": others[0]}, {"identifier": identifiers("card:other-0")[0]}):
            with pytest.raises(grpc.RpcError) as refused:
                erase(quanyu, **another)
            assert reason(refused.value)[1] == "CONFLICT", "the key is that of Ann's erasure, and they are still there"
        wait_until_gone(data)

        # A repeated record is a duplicate; a new record creates a new person.
        again = quanyu.ingestion.Ingest(batch("shop", *records_of_ann()))
        assert (again.accepted, again.duplicates) == (0, 4)
        quanyu.restart()
        again = quanyu.ingestion.Ingest(batch("shop", *records_of_ann()))
        assert (again.accepted, again.duplicates) == (0, 4)
        assert find_texts(data) == []
        assert resolve_others(quanyu, erased.raw_offset) == others
        offset = quanyu.ingestion.Ingest(batch("shop", order("new", ANN, 0))).raw_offset
        assert resolve(quanyu, ANN, offset) not in {0, ann, *others}
        assert matched(quanyu, offset) == OTHERS + 1


@pytest.mark.seeded
def test_an_erasure_survives_kills_and_a_rebuild_from_the_logs(tmp_path: Path) -> None:
    data, moments = tmp_path / "data", random.Random(SEED)
    with running(data, [FLOW]) as quanyu:
        offset = fill(quanyu)
        ann, others = resolve(quanyu, ANN, offset), resolve_others(quanyu, offset)
        raw_offset = erase(quanyu, person=ann).raw_offset
        for _ in range(4):
            time.sleep(moments.uniform(0, 0.6))
            quanyu.restart(signal.SIGKILL)
            assert resolve(quanyu, ANN, raw_offset) == 0, SEED
        wait_until_gone(data)
        quanyu.stop()
    # Keeps only the raw log and the database.
    anew = tmp_path / "anew"
    shutil.copytree(data / "shop/log/raw", anew / "shop/log/raw")
    shutil.copytree(data / "locks", anew / "locks")
    for name in ("VERSION", "quanyu.db"):
        shutil.copy(data / name, anew / name)
    with running(anew, [FLOW]) as quanyu:
        assert resolve_others(quanyu, raw_offset) == others
        assert resolve(quanyu, ANN) == 0
        assert matched(quanyu, raw_offset) == OTHERS
        again = quanyu.ingestion.Ingest(batch("shop", *records_of_ann()))
        assert (again.accepted, again.duplicates) == (0, 4)


def test_erasure_removes_the_person_from_delivery(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data, [ALL]) as quanyu:
        offset = fill(quanyu)
        ann = resolve(quanyu, ANN, offset)
        deliver(quanyu)
        database = [path for path in data.glob("quanyu.db*") if b"card-of-ann" in path.read_bytes()]
        assert database
        erase(quanyu, person=ann)
        wait_until(lambda: not any(b"card-of-ann" in path.read_bytes() for path in data.glob("quanyu.db*")), pause=0.2)
        explained = quanyu.delivery.ExplainDelivery(
            delivery_pb2.ExplainDeliveryRequest(workspace="shop", name="thanks", person=ann)
        )
        assert "card-of-ann" not in str(explained)


def deliver(quanyu: Quanyu) -> None:
    channel = delivery_pb2.Channel(
        name="file", namespace="card", file=delivery_pb2.FileSink(format=delivery_pb2.FileSink.FORMAT_CSV)
    )
    quanyu.delivery.PutChannel(delivery_pb2.PutChannelRequest(workspace="shop", channel=channel))
    campaign = delivery_pb2.Campaign(name="thanks", segment="buyers", channel="file")
    quanyu.delivery.CreateCampaign(delivery_pb2.CreateCampaignRequest(workspace="shop", campaign=campaign))
    quanyu.delivery.PlanCampaign(delivery_pb2.PlanCampaignRequest(workspace="shop", name="thanks"), timeout=PATIENCE)
    quanyu.delivery.StartCampaign(delivery_pb2.StartCampaignRequest(workspace="shop", name="thanks"))
    request = delivery_pb2.GetCampaignRequest(workspace="shop", name="thanks")
    done = delivery_pb2.CampaignStatus.STATE_DONE
    wait_until(lambda: quanyu.delivery.GetCampaign(request).status.state == done, pause=0.1)
