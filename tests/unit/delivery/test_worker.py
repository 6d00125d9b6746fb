"""The worker delivers claimed shards, postpones temporary failures and stops a campaign after others."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from quanyu.delivery.domain import Backoff
from quanyu.delivery.store import Store
from quanyu.delivery.tables import Channel
from quanyu.delivery.worker import DeliveryWorker
from quanyu.engine import roaring_ids
from quanyu.runtime.errors import Unavailable
from quanyu.runtime.storage.data_folder import DataFolder
from tests.unit.delivery.campaign_bench import Bench
from tests.waiting import wait_until


class Directory:
    """Identity, where each person has an identifier; it is down while `is_down` is set."""

    is_down = False

    def identifiers(self, workspace: str, persons: bytes, namespace: str) -> Iterator[tuple[int, str]]:
        if self.is_down:
            raise Unavailable("identity is down")
        yield from ((person, f"{namespace}{person}") for person in roaring_ids(persons, 0, 10**6))


@pytest.fixture
def directory() -> Directory:
    return Directory()


@pytest.fixture
def worker(store: Store, folder: DataFolder, directory: Directory) -> Iterator[DeliveryWorker]:
    channel = Channel(workspace="w", name="letters", kind="csv", namespace="card", config={})
    store.put_channel(channel)
    failures: list[BaseException] = []
    worker = DeliveryWorker(
        store,
        directory,  # type: ignore[arg-type]
        folder,
        Backoff(),
        lambda work, error: failures.append(error),
    )
    worker.start()
    yield worker
    worker.stop()
    assert failures == []


def state(store: Store) -> str:
    return store.campaign("w", "recall").state


def test_a_started_campaign_is_delivered(worker: DeliveryWorker, store: Store, folder: DataFolder) -> None:
    Bench(store).start_campaign([1, 2, 3])
    worker.wake()
    wait_until(lambda: state(store) == "done")
    assert store.counts("w", "recall") == {"accepted": 3}
    (output,) = store.outputs("w", "recall")
    assert (folder.path / output.path).read_text().count("card") == 3


def test_an_unavailable_service_postpones_the_shard(worker: DeliveryWorker, store: Store, directory: Directory) -> None:
    directory.is_down = True
    Bench(store).start_campaign([1])
    worker.wake()
    wait_until(lambda: store.campaign("w", "recall").detail == "waiting: identity is down")
    assert state(store) == "running"
    directory.is_down = False
    wait_until(lambda: state(store) == "done")


def test_a_failed_sink_stops_the_campaign_until_it_is_started_again(
    worker: DeliveryWorker, store: Store, folder: DataFolder
) -> None:
    delivered = folder.delivered("w")
    delivered.mkdir(parents=True)
    (delivered / "recall").write_text("a file instead of a folder")
    Bench(store).start_campaign([1])
    worker.wake()
    wait_until(lambda: state(store) == "needs_attention")
    assert "start the campaign again" in store.campaign("w", "recall").detail
    os.unlink(delivered / "recall")
    store.start("w", "recall")
    worker.wake()
    wait_until(lambda: state(store) == "done")
