"""A rule natively: a table in, cells and verdicts out, without a sandbox, through
the same checks as in one."""

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence
from uuid import UUID

from .answers import LEAVE, Team
from .context import Context, Tables
from .failure import internal
from .fields import Field, Type
from .instance import Instance
from .rows import Column, Side

_OF = {str: Type.TEXT, int: Type.INT64, float: Type.FLOAT64, bool: Type.BOOLEAN,
       Decimal: Type.DECIMAL, date: Type.DATE, datetime: Type.TIMESTAMP, bytes: Type.BINARY,
       UUID: Type.UUID}


class Table:
    """Columns by name; a column's type is that of its cells, text where all are
    `None`."""

    def __init__(self, columns: Mapping[str, Sequence[Any]]) -> None:
        self.columns = {name: list(cells) for name, cells in columns.items()}
        lengths = {len(cells) for cells in self.columns.values()} or {0}
        if len(lengths) != 1:
            raise ValueError(f"columns of {sorted(lengths)} cells")
        self.rows = lengths.pop()

    @staticmethod
    def blank(rows: int) -> "Table":
        """Rows without columns: records that none of the rows met."""
        table = Table({})
        table.rows = rows
        return table

    def type(self, name: str) -> Type:
        """The type of a column."""
        cells = self.columns.get(name, [])
        return next((_OF[type(cell)] for cell in cells if cell is not None), Type.TEXT)

    def fields(self) -> List[Field]:
        """Its columns."""
        return [Field(name, self.type(name)) for name in self.columns]

    def take(self, rows: Sequence[int]) -> "Table":
        """Some of its rows."""
        table = Table({
            name: [cells[row] for row in rows] for name, cells in self.columns.items()
        })
        table.rows = len(rows)
        return table

    def read(self, fields: Sequence[Field]) -> List[Column]:
        """The columns as the host would pass them: cast to text where text is
        asked for, all null where there is none."""
        return [
            Column(field.name, field.type, self._cast(field)) for field in fields
        ]

    def _cast(self, field: Field) -> List[Any]:
        cells = self.columns.get(field.name, [None] * self.rows)
        if self.type(field.name) is field.type or all(cell is None for cell in cells):
            return cells
        if field.type is Type.TEXT:
            return [None if cell is None else str(cell) for cell in cells]
        if field.type is Type.INT64:
            return [None if cell is None else int(cell) for cell in cells]
        raise TypeError(f"column `{field.name}` is not of the type {field.type.value}")


class Answer:
    """What a hook answered, by row."""

    def __init__(self, rows: int, cells: Dict[str, List[Any]], verdicts: Any) -> None:
        self.rows = rows
        self.cells = cells
        self._verdicts = verdicts

    def cell(self, row: int, column: str) -> Any:
        """A cell; `LEAVE` where it stays as the target has it."""
        return self.cells[column][row] if column in self.cells else LEAVE

    def verdict(self, row: int) -> str:
        """`reject code (column): message`, or empty."""
        found = self._verdicts.get(row)
        if found is None:
            return ""
        column = f" ({found.column})" if found.column else ""
        return f"{found.kind} {found.code}{column}: {found.message}"

    def lines(self) -> List[str]:
        """Each row as one line."""
        return [
            " | ".join([f"{name}={cells[row]!r}" for name, cells in sorted(self.cells.items())
                        if cells[row] is not LEAVE] + [self.verdict(row)])
            for row in range(self.rows)
        ]


class Bench:
    """A rule bound to the columns of a table."""

    def __init__(
        self,
        rule: type,
        source: Table,
        settings: Optional[Mapping[str, Any]] = None,
        tables: Optional[Mapping[str, Table]] = None,
        entity: str = "",
        target: Optional[Table] = None,
    ) -> None:
        self._granted = dict(tables or {})
        context = Context(
            entity or rule.entities[0], json.dumps(dict(settings or {})), source.fields(),
            target.fields() if target is not None else [], 1, 1_767_225_600_000_000,
            Tables(self._resolve),
        )
        self._instance = Instance(rule, context)

    def transform(self, source: Table, target: Optional[Table] = None) -> Answer:
        """Calls the hook `transform`."""
        output = self._instance.apply(source.rows, self._incoming("transform", source, target))
        cells = {}
        for name, column in output.columns.items():
            left = column.leave or b""
            cells[name] = [
                LEAVE if left and left[row // 8] >> row % 8 & 1 else cell
                for row, cell in enumerate(column.cells)
            ]
        return Answer(source.rows, cells, output.verdicts)

    def derive(self, side: Side, rows: Table) -> Answer:
        """Calls `matching` for the key of each row: `cell(row, "key")`."""
        needs = self._needs("matching")
        incoming = side is Side.INCOMING
        columns = (
            self._incoming("matching", rows, None) if incoming
            else rows.read(needs.reads_current)
        )
        keys = self._instance.derive(side, rows.rows, columns)
        return Answer(rows.rows, {"key": list(keys.finish())}, keys.verdicts)

    def choose(self, source: Table, offsets: Sequence[int], records: Table) -> Answer:
        """Chooses among records: `cell(row, "chosen")`, -1 = none."""
        choices = self._instance.choose(
            source.rows, self._incoming("matching", source, None), offsets,
            records.read(self._needs("matching").reads_current),
        )
        return Answer(source.rows, {"chosen": list(choices.finish())}, choices.verdicts)

    def state(self, source: Table, current: Table) -> Answer:
        """Calls `state`: `statecode` and `statuscode`."""
        states = self._instance.state(
            source.rows, self._incoming("state", source, None),
            current.read(self._needs("state").reads_current),
        )
        codes = [
            [LEAVE if code is None else code for code in codes] for codes in states.finish()
        ]
        cells = dict(zip(("statecode", "statuscode"), codes))
        return Answer(source.rows, cells, states.verdicts)

    def owner(self, source: Table, current: Optional[Table] = None) -> Answer:
        """Calls `owner`: `cell(row, "owner")` is a user's key, a `Team` or `LEAVE`."""
        current = current if current is not None else Table.blank(source.rows)
        owners = self._instance.owner(
            source.rows, self._incoming("owner", source, None),
            current.read(self._needs("owner").reads_current),
        )
        kinds, _, keys = owners.finish()
        found = [LEAVE if kind == 0 else Team(key) if kind == 2 else key
                 for kind, key in zip(kinds, keys)]
        return Answer(source.rows, {"owner": found}, owners.verdicts)

    def _needs(self, hook: str) -> Any:
        return self._instance._declared(hook)

    def _incoming(self, hook: str, source: Table, target: Optional[Table]) -> List[Column]:
        needs = self._needs(hook)
        after = target if target is not None else Table.blank(source.rows)
        return source.read(needs.reads) + after.read(needs.reads_target)

    def _resolve(self, table: str, by: str, keys: Column, columns: Sequence[str]) -> List[Column]:
        granted = self._granted.get(table)
        if granted is None:
            names = ", ".join(f"`{name}`" for name in self._granted) or "none"
            raise internal("lookup", f"no table `{table}` is granted, but {names}")
        first: Dict[str, int] = {}
        for row, key in enumerate(granted.columns[by]):
            if key is not None:
                first.setdefault(str(key), row)
        at = [None if key is None else first.get(str(key)) for key in keys.cells]
        return [
            Column(name, granted.type(name),
                   [None if row is None else granted.columns[name][row] for row in at])
            for name in columns
        ]


def assert_rows_independent(table: Table, lines: Callable[[Table], List[str]]) -> None:
    """What is said of a row depends on that row only: judged whole, one by one, in
    reverse and in halves. `lines` judges a table: `lambda t: bench.transform(t).lines()`."""
    rows = list(range(table.rows))
    half = len(rows) // 2
    whole = lines(table)
    alone = [line for row in rows for line in lines(table.take([row]))]
    turned = lines(table.take(rows[::-1]))[::-1]
    halves = lines(table.take(rows[:half])) + lines(table.take(rows[half:]))
    for how, found in (("alone", alone), ("in reverse", turned), ("in halves", halves)):
        for row, (one, other) in enumerate(zip(whole, found)):
            assert one == other, (
                f"row {row} depends on more than itself: `{one}` in one call, `{other}` {how}"
            )
