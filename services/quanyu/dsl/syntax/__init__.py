"""The syntax tree of the rule language: one frozen class per alternative of grammar.lark.

Equality ignores where a node stands in the text, so `parse(format_rule(tree)) == tree`.
Names are as written: a bare word that is a value (`channel in [pos]`) is still a Path here; the checker decides (N1).
Nodes, values, windows, membership, conditions, statements: each module rests only on those before it.
"""

from quanyu.dsl.syntax.conditions import *  # noqa: F403
from quanyu.dsl.syntax.membership import *  # noqa: F403
from quanyu.dsl.syntax.nodes import *  # noqa: F403
from quanyu.dsl.syntax.statements import *  # noqa: F403
from quanyu.dsl.syntax.values import *  # noqa: F403
from quanyu.dsl.syntax.windows import *  # noqa: F403
