"""What hooks answer: columns, keys, choices, states, owners, verdicts. Pure.

Promises: an answer that the host would refuse (an undeclared column, another
type, another number of rows) is refused here, with words that name it.
"""

from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from . import bits
from .failure import Failure, internal
from .fields import Field, Type


class _Leave:
    def __repr__(self) -> str:
        return "LEAVE"


LEAVE: Any = _Leave()
"""A cell that stays as the target has it; `None` clears it."""


class Verdict(NamedTuple):
    """What the rule says of a row beyond its values."""

    row: int
    kind: str
    code: str
    column: Optional[str]
    message: str


class _Answer:
    """Verdicts of one call, one at most for each row: the first one counts."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.verdicts: Dict[int, Verdict] = {}

    def reject(self, row: int, code: str, column: Optional[str], message: str) -> None:
        """The row becomes a dead letter. `code` is stable and machine-readable,
        `column` the source column that is wrong, `message` for a person: it shows
        the wrong value."""
        self._judge(row, "reject", code, column, message)

    def drop(self, row: int, code: str, column: Optional[str], message: str) -> None:
        """The row is left out on purpose."""
        self._judge(row, "drop", code, column, message)

    def defer(self, row: int, code: str, column: Optional[str], message: str) -> None:
        """The row is tried again later."""
        self._judge(row, "defer", code, column, message)

    def _judge(
        self, row: int, kind: str, code: str, column: Optional[str], message: str
    ) -> None:
        if 0 <= row < self.rows and row not in self.verdicts:
            self.verdicts[row] = Verdict(row, kind, code, column, message)

    def _same_rows(self, what: str, found: int) -> None:
        if found != self.rows:
            raise _bad(f"{found} {what} for {self.rows} rows")


class Set(NamedTuple):
    """A column that `transform` sets."""

    name: str
    type: Type
    cells: List[Any]
    leave: Optional[bytes]
    has_nulls: bool


class Output(_Answer):
    """What `transform` answers: the columns that it sets. One that is not set
    stays as the target has it."""

    def __init__(self, writes: Sequence[Field], rows: int) -> None:
        super().__init__(rows)
        self._writes = {field.name: field for field in writes}
        self.columns: Dict[str, Set] = {}

    def writes(self, name: str) -> bool:
        """The hook declared that it writes the column."""
        return name in self._writes

    def set(self, name: str, cells: Sequence[Any]) -> None:
        """Sets a target column: a cell for each row, `None` to clear it, `LEAVE`
        to leave it. A date takes a day since 1970 too, a timestamp microseconds
        since then."""
        field = self._writes.get(name)
        if field is None:
            raise _bad(f"cannot set column `{name}`: the hook does not declare it")
        if name in self.columns:
            raise _bad(f"column `{name}` is set twice")
        if len(cells) != self.rows:
            raise _bad(f"column `{name}` has {len(cells)} values for {self.rows} rows")
        kinds = set(map(type, cells))
        has_nulls = type(None) in kinds
        leave = None
        if _Leave in kinds:
            leave = bits.pack([cell is LEAVE for cell in cells])
            cells = [None if cell is LEAVE else cell for cell in cells]
            has_nulls = True
        strange = kinds - _TAKES[field.type]
        if strange:
            row, cell = next((r, c) for r, c in enumerate(cells) if type(c) in strange)
            raise _bad(
                f"cannot set column `{name}`: expected {field.type.value}, found "
                f"`{cell}` ({type(cell).__name__}) in row {row}"
            )
        if field.type is Type.TEXT:
            _sound(name, cells)
        self.columns[name] = Set(name, field.type, list(cells), leave, has_nulls)


def _sound(name: str, cells: Sequence[Optional[str]]) -> None:
    """What Python calls text may hold what UTF-8 cannot."""
    try:
        "".join(filter(None, cells)).encode()
    except UnicodeEncodeError as error:
        half = error.object[error.start]
        row = next(row for row, cell in enumerate(cells) if cell and half in cell)
        raise _bad(
            f"cannot set column `{name}`: {ascii(cells[row])} in row {row} is no text: it holds "
            "half of a surrogate pair"
        ) from None


def _takes() -> Dict[Type, frozenset]:
    from datetime import date, datetime
    from decimal import Decimal
    from uuid import UUID

    takes: Dict[Type, Tuple[type, ...]] = {
        Type.TEXT: (str,),
        Type.INT64: (int,),
        Type.FLOAT64: (float, int),
        Type.BOOLEAN: (bool,),
        Type.DECIMAL: (Decimal, int),
        Type.DATE: (date, int),
        Type.TIMESTAMP: (datetime, int),
        Type.BINARY: (bytes,),
        Type.UUID: (UUID,),
    }
    return {kind: frozenset((*of, type(None), _Leave)) for kind, of in takes.items()}


_TAKES = _takes()


class Keys(_Answer):
    """What `matching` derives: a key a row."""

    keys: List[str]

    def set(self, keys: Sequence[str]) -> None:
        """A key for each row. Equal keys match; an empty one matches nothing."""
        self._same_rows("keys", len(keys))
        strange = set(map(type, keys)) - {str}
        if strange:
            raise _bad(f"a key is text, found {strange.pop().__name__}")
        _sound("key", keys)
        self.keys = list(keys)

    def finish(self) -> List[str]:
        """The keys; the hook must have set them."""
        return _set(self, "keys")


class Choices(_Answer):
    """What `matching` chooses: one of a row's candidates, or none."""

    chosen: List[int]

    def set(self, positions: Sequence[Optional[int]]) -> None:
        """For each row the position among its candidates, from 0; none of them:
        `None`."""
        self._same_rows("choices", len(positions))
        self.chosen = [-1 if position is None else position for position in positions]

    def finish(self) -> List[int]:
        """The choices; the hook must have set them."""
        return _set(self, "chosen")


class States(_Answer):
    """What `state` decides: state and status reason of each row."""

    states: Tuple[List[Optional[int]], List[Optional[int]]]

    def set(
        self,
        statecodes: Sequence[Optional[int]],
        statuscodes: Optional[Sequence[Optional[int]]] = None,
    ) -> None:
        """For each row the `statecode`, and the `statuscode` that belongs to it;
        `None` leaves it as it is, or takes what goes with the state."""
        statuscodes = [None] * len(statecodes) if statuscodes is None else statuscodes
        self._same_rows("states", len(statecodes))
        self._same_rows("status reasons", len(statuscodes))
        self.states = (list(statecodes), list(statuscodes))

    def finish(self) -> Tuple[List[Optional[int]], List[Optional[int]]]:
        """The states; the hook must have set them."""
        return _set(self, "states")


class Team(NamedTuple):
    """A team's key."""

    key: str


def team(key: str) -> Team:
    """The team of that key, for `Owners.set`."""
    return Team(key)


class Owners(_Answer):
    """What `owner` decides: a user, a team, or as it is."""

    by: str
    owners: List[Any]

    def set(self, owners: Sequence[Any], by: str = "id") -> None:
        """For each row the key of a user, `team(key)`, or `None`: as it is. `by`
        says how keys name the owner: `id`, or a column that is unique among users
        or teams (`internalemailaddress`)."""
        self._same_rows("owners", len(owners))
        strange = set(map(type, owners)) - {str, Team, type(None)}
        if strange:
            raise _bad(f"an owner is text or a team, found {strange.pop().__name__}")
        self.by = by
        self.owners = list(owners)

    def finish(self) -> Tuple[List[int], str, List[str]]:
        """Kinds (0 = as it is, 1 = a user, 2 = a team), how keys name, and keys."""
        owners = _set(self, "owners")
        keys = [owner.key if type(owner) is Team else owner or "" for owner in owners]
        kinds = [
            0 if not key else 2 if type(owner) is Team else 1 for owner, key in zip(owners, keys)
        ]
        return kinds, self.by, keys


def _set(answer: Any, name: str) -> Any:
    found = getattr(answer, name, None)
    if found is None:
        raise _bad(f"the hook did not set {name}")
    return found


def _bad(message: str) -> Failure:
    return internal("bad-output", message)
