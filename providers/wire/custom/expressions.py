"""JMESPath (jmespath.org/specification.html) that tenants write, evaluated within bounds.

An expression is no program, but it can double what it has at every step, and a sum over sums takes its time. So every
value that is made or compared is weighed: one for each node, and one more for each 1,024 characters of text.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions
from jmespath.parser import Parser
from jmespath.visitor import TreeInterpreter

LONGEST: Final = 8_000
MOST_NODES: Final = 1_000
HEAVIEST_VALUE: Final = 50_000
# Of all that an evaluation handles: well below a tenth of a second, in which a process serves nobody else.
MOST_WORK: Final = 200_000
TEXT_PER_UNIT: Final = 1_024

Node = Mapping[str, Any]


class ExpressionInvalid(ValueError):
    """It cannot be read; the message says where."""


class EvaluationFailed(ValueError):
    """It cannot be applied to this value, or would take too much."""


class Expression:
    """One that has been read. `used` names the top-level fields that it looks at, None for all of them."""

    def __init__(self, root: Node) -> None:
        self._root = root
        self.used = fields_used(root)

    def apply(self, value: object, most_work: int = MOST_WORK) -> Any:
        """Raises EvaluationFailed."""
        try:
            return Bounded(most_work).visit(self._root, value)
        except (JMESPathError, TypeError, ValueError, KeyError, AttributeError, ArithmeticError) as failure:
            raise EvaluationFailed(str(failure)[:500]) from None
        except RecursionError:
            raise EvaluationFailed("it is nested too deeply") from None


@lru_cache(maxsize=1024)
def expression(text: str) -> Expression:
    """Raises ExpressionInvalid."""
    if len(text) > LONGEST:
        raise ExpressionInvalid(f"expected {LONGEST} characters at most")
    try:
        root = Parser().parse(text).parsed
        nodes = sum(1 for _ in nodes_of(root))
        check_functions(root)
        check_references(root)
    except (JMESPathError, ValueError) as failure:
        raise ExpressionInvalid(" ".join(str(failure).split())[:500]) from None
    except RecursionError:
        raise ExpressionInvalid("it is nested too deeply") from None
    if nodes > MOST_NODES:
        raise ExpressionInvalid(f"expected {MOST_NODES} parts at most")
    return Expression(root)


class Bounded(TreeInterpreter):  # type: ignore[misc]
    """One evaluation."""

    def __init__(self, most_work: int) -> None:
        super().__init__()
        self._left = most_work

    def visit(self, node: Node, *args: Any, **kwargs: Any) -> Any:
        self._pay(1)
        value = super().visit(node, *args, **kwargs)
        if node["type"] in MAKES_VALUES:
            self._weigh(value)
        return value

    def visit_function_expression(self, node: Node, value: Any) -> Any:
        """Its arguments are weighed before they are sorted, joined or written out."""
        arguments = [self.visit(child, value) for child in node["children"]]
        for argument in arguments:
            self._weigh(argument)
        if node["value"] == "join":
            check_joined(*arguments)
        return self._functions.call_function(node["value"], arguments)

    def visit_comparator(self, node: Node, value: Any) -> Any:
        for child in node["children"]:
            self._weigh(self.visit(child, value))
        return super().visit_comparator(node, value)

    def _weigh(self, value: object) -> None:
        weight = 0
        waiting = [value]
        while waiting:
            each = waiting.pop()
            weight += 1 + (len(each) // TEXT_PER_UNIT if isinstance(each, str) else 0)
            if isinstance(each, dict):
                waiting.extend(each.values())
            elif isinstance(each, list):
                waiting.extend(each)
            if weight + len(waiting) > HEAVIEST_VALUE:
                raise EvaluationFailed("it makes too large a value")
        self._pay(weight)

    def _pay(self, work: int) -> None:
        self._left -= work
        if self._left < 0:
            raise EvaluationFailed("it takes too long")


def check_joined(glue: object = None, parts: object = None, *_: object) -> None:
    """What is between the parts is there as often as they are: the one function that makes more than it is given."""
    if isinstance(glue, str) and isinstance(parts, list) and len(glue) * len(parts) > HEAVIEST_VALUE * TEXT_PER_UNIT:
        raise EvaluationFailed("it makes too large a value")


MAKES_VALUES: Final = frozenset(
    (
        "multi_select_list", "multi_select_dict", "function_expression", "flatten", "slice",
        "projection", "filter_projection", "value_projection",
    )
)  # fmt: skip


def nodes_of(node: object) -> Iterator[Node]:
    """The node and all below it; a slice has numbers for children."""
    if isinstance(node, Mapping):
        yield node
        for child in node.get("children", ()):
            yield from nodes_of(child)


def check_functions(root: Node) -> None:
    known = Functions.FUNCTION_TABLE
    for node in nodes_of(root):
        if node["type"] == "function_expression" and node["value"] not in known:
            raise ExpressionInvalid(f"there is no function {node['value']}(); there are {', '.join(sorted(known))}")


def check_references(root: Node) -> None:
    """An expression that is handed to a function (`&name`) is no value, and must not become part of one."""
    for node in nodes_of({"type": "root", "children": [root]}):
        takes = node["type"] == "function_expression" and node["value"] in TAKES_EXPRESSIONS
        inner = (child for child in node.get("children", ()) if isinstance(child, Mapping))
        if not takes and any(child["type"] == "expref" for child in inner):
            raise ExpressionInvalid(f"& stands only within {', '.join(sorted(TAKES_EXPRESSIONS))}")


TAKES_EXPRESSIONS: Final = frozenset(("map", "max_by", "min_by", "sort_by"))


def fields_used(root: Node) -> frozenset[str] | None:
    found = set(looked_at(root))
    return None if None in found else frozenset(name for name in found if name is not None)


def looked_at(node: Node) -> Iterator[str | None]:
    """Names of fields of the value that `node` is applied to; None where it takes the whole."""
    kind, children = node["type"], node.get("children", [])
    if kind == "field":
        yield node["value"]
    elif kind in ("current", "identity"):
        yield None
    elif kind in ON_ITS_RESULT:
        first, *others = children
        while first["type"] in ("current", "identity") and others and kind in ("subexpression", "pipe"):
            first, *others = others
        yield from looked_at(first)
    elif kind != "expref":
        for child in children:
            if isinstance(child, Mapping):
                yield from looked_at(child)


# Their first child is applied to what they are applied to, the others to what that gives.
ON_ITS_RESULT: Final = frozenset(
    ("subexpression", "pipe", "index_expression", "projection", "filter_projection", "value_projection", "flatten")
)
