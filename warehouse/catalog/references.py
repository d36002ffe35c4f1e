"""What a SQL text refers to, and what its columns mean: all that is asked of the SQL parser.

Nothing is ever regenerated from the parsed tree: names are replaced in the original text at the positions the
parser reports, so that a view in the database is what its author wrote.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from warehouse.errors import ViewError

RAW = "cave"
"""`cave.NAME` in a SQL file is CAVE's table of that name, also where a curated view has the name."""


@dataclass(frozen=True)
class Reference:
    """A table, view or function that a text names, and where.

    Attributes:
        name: without quotes.
        raw: whether it was written `cave.NAME`.
        call: whether it is a function or a macro.
        start, end: of the name with its schema, as a slice of the text.
    """

    name: str
    raw: bool
    call: bool
    start: int
    end: int


Texts = Mapping[str, str]
"""Column name to what it means."""


@lru_cache(maxsize=256)  # asked twice for each file: for what it refers to, then for what its columns mean
def parse(text: str) -> exp.Query:
    """Parse one SELECT; the tree is shared, so nobody changes it.

    Raises:
        ViewError: it is not one, or the parser does not understand it.
    """
    try:
        tree = sqlglot.parse_one(text, dialect="duckdb")
    except SqlglotError as error:
        unknown = {"line": 1, "description": str(error).splitlines()[0]}
        problem = next(iter(getattr(error, "errors", ())), unknown)
        raise ViewError(f"line {problem.get('line')}: {problem.get('description')}") from error
    if not isinstance(tree, exp.Query):
        raise ViewError("line 1: a file under sql/ holds one SELECT and nothing else")
    return tree


def references(tree: exp.Query) -> tuple[Reference, ...]:
    """Every table, view and function that is named, except the query's own WITH names, in order of position."""
    local = {each.alias for each in tree.find_all(exp.CTE)}
    found = [_table(node) for node in tree.find_all(exp.Table) if isinstance(node.this, exp.Identifier)]
    calls = [_call(node) for node in tree.find_all(exp.Anonymous) if "start" in node.meta]
    names = [each for each in found if each.raw or each.name not in local]
    return tuple(sorted((*names, *calls), key=lambda each: each.start))


def _table(node: exp.Table) -> Reference:
    schema = node.args.get("db")
    if schema is not None and schema.name != RAW:
        raise ViewError(f"{schema.name}.{node.name} names a schema; write {node.name}, or {RAW}.{node.name}")
    first = node.this if schema is None else schema
    return Reference(node.name, schema is not None, False, first.meta["start"], node.this.meta["end"] + 1)


def _call(node: exp.Anonymous) -> Reference:
    return Reference(node.name, False, True, node.meta["start"], node.meta["end"] + 1)


def rewrite(text: str, found: tuple[Reference, ...], resolve: Callable[[Reference], str | None]) -> str:
    """The text with each reference replaced by what `resolve` returns (None leaves it alone)."""
    pieces, position = [], 0
    for reference in found:
        replacement = resolve(reference)
        if replacement is not None:
            pieces += [text[position : reference.start], replacement]
            position = reference.end
    return "".join([*pieces, text[position:]])


def is_scalar(tree: exp.Query) -> bool:
    """Whether a SELECT is one value without rows to come from: the body of a scalar macro."""
    return isinstance(tree, exp.Select) and len(tree.selects) == 1 and _from(tree) is None


def scalar_expression(text: str, rewritten: str) -> str:
    """The one item of such a SELECT, which is what a scalar macro returns.

    Args:
        text: the SELECT as its author wrote it.
        rewritten: the same with its references replaced; all of them stand before the item's name.
    """
    return rewritten[: len(rewritten) - _name_length(text)].removesuffix("AS").removeprefix("SELECT").strip()


@cache
def _name_length(text: str) -> int:
    """How many characters of the SELECT of a scalar macro are the name of its item, and what follows."""
    alias = parse(text).selects[0].args.get("alias")
    if alias is None:
        raise ViewError("a scalar macro names its result: SELECT ... AS name")
    return len(text) - len(text[: alias.meta["start"]].rstrip())


def item_texts(tree: exp.Query, known: Callable[[Reference], Texts | None]) -> dict[str, str]:
    """What each column of the result means: the comment behind the item, else what its source says.

    Args:
        tree: the query.
        known: the columns of a table or view, None for one that is unknown.
    """
    return _texts(tree, known, {})


def _texts(
    tree: exp.Expr, known: Callable[[Reference], Texts | None], outer: Mapping[str, Texts]
) -> dict[str, str]:
    if isinstance(tree, exp.Subquery):
        return _texts(tree.this, known, outer)
    scope = dict(outer)
    for each in tree.ctes if isinstance(tree, exp.Query) else ():
        scope[each.alias] = _texts(each.this, known, scope)
    if isinstance(tree, exp.SetOperation):
        left, right = (_texts(side, known, scope) for side in (tree.left, tree.right))
        return {name: text or right.get(name, "") for name, text in left.items()}
    if not isinstance(tree, exp.Select):
        return {}
    sources = dict(_sources(tree, known, scope))
    return {name: text for item in tree.selects for name, text in _item(item, sources)}


def _sources(
    select: exp.Select, known: Callable[[Reference], Texts | None], scope: Mapping[str, Texts]
) -> Iterator[tuple[str, Texts]]:
    first = _from(select)
    for holder in [*([first] if first else []), *(select.args.get("joins") or [])]:
        node = holder.this
        if isinstance(node, exp.Subquery):
            yield node.alias, _texts(node, known, scope)
        elif isinstance(node, exp.Table) and isinstance(node.this, exp.Anonymous) and "start" in node.this.meta:
            yield node.alias_or_name, known(_call(node.this)) or {}
        elif isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
            reference = _table(node)
            texts = None if reference.raw else scope.get(reference.name)
            yield node.alias_or_name, texts if texts is not None else known(reference) or {}


def _from(select: exp.Select) -> exp.From | None:
    found = select.args.get("from_", select.args.get("from"))
    return found if isinstance(found, exp.From) else None


def _item(item: exp.Expr, sources: Mapping[str, Texts]) -> Iterator[tuple[str, str]]:
    if item.is_star:
        qualifier = item.table if isinstance(item, exp.Column) else ""
        excluded = {each.name for star in item.find_all(exp.Star) for each in star.args.get("except_") or ()}
        for alias, texts in sources.items():
            if qualifier in ("", alias):
                yield from ((name, text) for name, text in texts.items() if name not in excluded)
        return
    if own := " ".join(comment.strip() for comment in item.comments or ()):
        yield item.alias_or_name, own
        return
    column = item.this if isinstance(item, exp.Alias) else item
    yield item.alias_or_name, _inherited(column, item.alias_or_name, sources)


def _inherited(column: exp.Expr, name: str, sources: Mapping[str, Texts]) -> str:
    """What the only source of a column that passes through under its own name says of it."""
    if not isinstance(column, exp.Column) or column.name != name:
        return ""
    candidates = [sources.get(column.table, {})] if column.table else list(sources.values())
    texts = {texts[name] for texts in candidates if texts.get(name)}
    return texts.pop() if len(texts) == 1 else ""
