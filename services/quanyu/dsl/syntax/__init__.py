"""The syntax tree of the rule language: one frozen class for each alternative of grammar.lark.

Equality ignores the place of a node in the text, so `parse(format_rule(tree)) == tree`.
The tree keeps names as the text writes them. A bare word that is a value (`channel in [pos]`) is a Path here, and the
checker decides what it means (N1).
Each module imports only modules before it in this order: nodes, values, windows, membership, conditions, statements.
"""

from quanyu.dsl.syntax.conditions import *  # noqa: F403
from quanyu.dsl.syntax.membership import *  # noqa: F403
from quanyu.dsl.syntax.nodes import *  # noqa: F403
from quanyu.dsl.syntax.statements import *  # noqa: F403
from quanyu.dsl.syntax.values import *  # noqa: F403
from quanyu.dsl.syntax.windows import *  # noqa: F403
