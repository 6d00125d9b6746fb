"""Proofs about conditions of the tests' world."""

from quanyu.dsl import syntax as s
from quanyu.dsl.linting.proving import Encoder, Site, Truth
from tests.unit.dsl.world import CATALOG, CLOCK, LIBRARY, bind


def bound_condition(text: str) -> s.Cond:
    condition = bind(text).condition
    assert condition is not None
    return condition


def make_encoder() -> Encoder:
    return Encoder(CATALOG, LIBRARY, CLOCK)


def encode(encoder: Encoder, text: str) -> Truth:
    return encoder.encode(bound_condition(text), Site())


def implies(text: str, other: str) -> bool:
    """Returns whether the encoder proves that everybody for whom `text` is true makes `other` true."""
    encoder = make_encoder()
    return encoder.prover.implies(encode(encoder, text).true, encode(encoder, other).true)


def are_equivalent(text: str, other: str) -> bool:
    """Returns whether the encoder proves that both conditions are true, false and unknown for the same people."""
    encoder = make_encoder()
    one, two = encode(encoder, text), encode(encoder, other)
    pairs = ((one.true, two.true), (one.false, two.false))
    return all(encoder.prover.implies(a, b) and encoder.prover.implies(b, a) for a, b in pairs)


def is_never_unknown(text: str) -> bool:
    encoder = make_encoder()
    return encoder.prover.is_refuted(encode(encoder, text).unknown)
