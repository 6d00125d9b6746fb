"""People who withdraw or are suppressed after planning are refused at dispatch."""

from __future__ import annotations

from quanyu.delivery.recheck import Recheck, all_ids, intersection
from quanyu.delivery.store import Store
from quanyu.delivery.tables import CampaignVersion
from quanyu.engine import roaring_from_ids
from tests.unit.delivery.campaign_bench import Bench, definition


def recheck_of(bench: Bench, purpose: str) -> Recheck:
    plan = bench.store.plan("w", "recall")
    assert plan is not None
    campaign: CampaignVersion = definition()
    campaign.purpose = purpose
    job, _ = plan
    consent, _ = bench.store.policies("w", purpose)
    job.consent_revision = consent.revision if purpose else 0
    return Recheck(job, campaign)


def refused(bench: Bench, recheck: Recheck, persons: list[int]) -> dict[int, str]:
    with bench.store.database.reading() as session:
        return recheck.find_refused(session, persons)


def test_withdrawn_consent_and_suppression_are_refused_from_their_change_on(store: Store) -> None:
    bench = Bench(store)
    store.put_consents("w", "news", roaring_from_ids([1, 2, 3]), granted=True)
    bench.start_campaign([1, 2, 3])
    recheck = recheck_of(bench, "news")
    assert refused(bench, recheck, [1, 2, 3]) == {}
    store.put_consents("w", "news", roaring_from_ids([2]), granted=False)
    assert refused(bench, recheck, [1, 2, 3]) == {2: "consent_withdrawn"}
    store.put_suppressions("w", roaring_from_ids([2, 3, 9]), suppressed=True)
    assert refused(bench, recheck, [1, 2, 3]) == {2: "suppressed", 3: "suppressed"}
    assert refused(bench, recheck, [1]) == {}


def test_a_campaign_without_a_purpose_ignores_consent(store: Store) -> None:
    bench = Bench(store)
    bench.start_campaign([1, 2])
    recheck = recheck_of(bench, "")
    store.put_consents("w", "news", roaring_from_ids([1]), granted=False)
    assert refused(bench, recheck, [1, 2]) == {}


def test_set_functions_equal_plain_sets() -> None:
    a, b = {1, 2, 2**40}, {2, 2**40, 7}
    both = intersection(roaring_from_ids(sorted(a)), roaring_from_ids(sorted(b)))
    assert all_ids(both) == sorted(a & b)
