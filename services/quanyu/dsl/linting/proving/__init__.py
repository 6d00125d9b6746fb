"""Encodes conditions as formulas about one person and proves facts that hold for every person at every later instant.

encoder = Encoder(catalog, library, clock)
truth = encoder.encode(condition, Site())  # where it is true and where it is false, as formulas
encoder.prover.is_refuted(truth.true)  # nobody can ever be in
"""

from quanyu.dsl.linting.proving.encoder import Encoder
from quanyu.dsl.linting.proving.formulas import Formula, Truth, negation
from quanyu.dsl.linting.proving.value_encoder import Site

__all__ = ["Encoder", "Formula", "Site", "Truth", "negation"]
