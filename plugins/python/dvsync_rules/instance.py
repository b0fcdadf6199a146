"""A configured rule, and its hooks as functions from columns to answers. Pure: the
component and the tests call the same."""

from typing import Any, List, Sequence, Tuple

from .answers import Choices, Keys, Output, Owners, States
from .context import Context
from .failure import internal
from .fields import Field, Needs
from .rows import Candidates, Column, Rows, Side
from .rule import HOOKS, Rule


class Instance:
    """A rule, configured."""

    def __init__(self, rule: type, context: Context) -> None:
        self._rule = rule()
        self._rule.configure(context)
        self._source = [field.name for field in context.source]
        # Without a target's columns all are there.
        self._target = [field.name for field in context.target] or None
        self.needs: List[Tuple[str, Needs]] = [
            (hook, rule.hooks[hook][1](self._rule, context))
            for hook in HOOKS if hook in rule.hooks
        ]

    def _declared(self, hook: str) -> Needs:
        for name, needs in self.needs:
            if name == hook:
                return needs
        raise internal("no-hook", f"the rule does not export `{hook}`")

    def _call(self, hook: str, *arguments: Any) -> None:
        getattr(self._rule, type(self._rule).hooks[hook][0])(*arguments)

    def _incoming(self, needs: Needs, columns: Sequence[Column], rows: int) -> Rows:
        reads, target = list(needs.reads), list(needs.reads_target)
        _check(columns, reads + target)
        after = Rows(target, columns[len(reads):], rows, present=self._target)
        return Rows(reads, columns[:len(reads)], rows, after, self._source)

    def _current(self, needs: Needs, columns: Sequence[Column], rows: int) -> Rows:
        _check(columns, needs.reads_current)
        return Rows(needs.reads_current, columns, rows, present=self._target)

    def apply(self, rows: int, columns: Sequence[Column]) -> Output:
        """`transform.apply`."""
        needs = self._declared("transform")
        output = Output(needs.writes, rows)
        self._call("transform", self._incoming(needs, columns, rows), output)
        return output

    def derive(self, side: Side, rows: int, columns: Sequence[Column]) -> Keys:
        """`matching.derive`."""
        needs = self._declared("matching")
        read = self._incoming if side is Side.INCOMING else self._current
        keys = Keys(rows)
        self._call("matching", side, read(needs, columns, rows), keys)
        return keys

    def choose(
        self, rows: int, incoming: Sequence[Column], offsets: Sequence[int],
        candidates: Sequence[Column],
    ) -> Choices:
        """`matching.choose`."""
        needs = self._declared("matching")
        found = Candidates(offsets, self._current(needs, candidates, offsets[-1]))
        choices = Choices(rows)
        if "choose" in type(self._rule).hooks:
            self._call("choose", self._incoming(needs, incoming, rows), found, choices)
            return choices
        for row in range(rows):
            count = len(found.of(row))
            choices.reject(row, "ambiguous-key", None, f"the key meets {count} records")
        choices.set([None] * rows)
        return choices

    def state(self, rows: int, incoming: Sequence[Column], current: Sequence[Column]) -> States:
        """`state.decide`."""
        needs = self._declared("state")
        states = States(rows)
        self._call(
            "state", self._incoming(needs, incoming, rows), self._current(needs, current, rows),
            states,
        )
        return states

    def owner(self, rows: int, incoming: Sequence[Column], current: Sequence[Column]) -> Owners:
        """`owner.decide`."""
        needs = self._declared("owner")
        owners = Owners(rows)
        self._call(
            "owner", self._incoming(needs, incoming, rows), self._current(needs, current, rows),
            owners,
        )
        return owners


def _check(columns: Sequence[Column], fields: Sequence[Field]) -> None:
    """They are the ones that were asked for."""
    if len(columns) != len(fields):
        raise internal("bad-call", f"{len(columns)} columns came, {len(fields)} are declared")
    for column, field in zip(columns, fields):
        if column.name != field.name or column.type is not field.type:
            raise internal(
                "bad-call", f"column `{column.name}` ({column.type.value}) came where "
                f"`{field.name}` ({field.type.value}) is declared",
            )
