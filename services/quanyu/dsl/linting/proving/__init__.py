"""What must be so of a rule, whoever is asked and whenever: conditions as formulas, and what no person can make true.

claims = Claims(catalog, library, clock)
truth = claims.truth(condition, Place())  # where it is true, where false, as formulas
claims.prover.refuted(truth.true)  # nobody can ever be in
"""

from quanyu.dsl.linting.proving.encoder import Claims
from quanyu.dsl.linting.proving.truth import (
    Formula,
    Prover,
    Truth,
    both,
    denied,
    either,
)
from quanyu.dsl.linting.proving.value_domains import Place

__all__ = ["Claims", "Formula", "Place", "Prover", "Truth", "both", "denied", "either"]
