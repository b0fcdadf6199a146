"""The rows of a call: columns by name, checked against what the hook declared."""

from enum import Enum
from typing import Any, Callable, List, Optional, Sequence

from .failure import internal
from .fields import Field, Type


class Side(Enum):
    """Which rows a key is derived for."""

    INCOMING = "incoming"
    """Source rows: columns as `reads`, then `reads_target`."""
    CURRENT = "current"
    """Records that the target holds: columns as `reads_current`."""


class Column:
    """The cells of a column, none where null; read when first asked for."""

    __slots__ = ("name", "type", "raw", "_cells", "_load", "_rows")

    def __init__(
        self,
        name: str,
        type: Type,
        cells: Optional[List[Any]] = None,
        rows: int = 0,
        load: Optional[Callable[[], List[Any]]] = None,
        raw: Any = None,
    ) -> None:
        self.name = name
        self.type = type
        self.raw = raw
        self._cells = cells
        self._load = load
        self._rows = rows if cells is None else len(cells)

    @staticmethod
    def of_text(name: str, cells: Sequence[Optional[str]]) -> "Column":
        """Text of one's own, as keys to a table."""
        return Column(name, Type.TEXT, list(cells))

    @property
    def cells(self) -> List[Any]:
        """One a row: leave the list as it is, others read it too."""
        if self._cells is None:
            cells = self._load() if self._load is not None else [None] * self._rows
            if len(cells) != self._rows:
                raise internal(
                    "bad-call", f"column `{self.name}`: {len(cells)} cells, {self._rows} rows"
                )
            self._cells = cells
        return self._cells

    def __len__(self) -> int:
        return self._rows


class Rows:
    """The rows of a call. Each method gives a list with a cell for each row, none
    where it is null. A column that the hook has not declared is a fault of the
    rule and says so; a declared one that the source has not is all null, and
    `is_absent`."""

    def __init__(
        self,
        fields: Sequence[Field],
        columns: Sequence[Column],
        count: int,
        target: Optional["Rows"] = None,
        present: Optional[Sequence[str]] = None,
    ) -> None:
        self._columns = dict(zip([field.name for field in fields], columns))
        self._count = count
        self._target = target
        self._present = None if present is None else frozenset(present)

    def __len__(self) -> int:
        return self._count

    def has(self, name: str) -> bool:
        """The hook declared that it reads the column."""
        return name in self._columns

    def is_absent(self, name: str) -> bool:
        """The source has no such column: its cells are null."""
        return self._present is not None and name not in self._present

    @property
    def target(self) -> "Rows":
        """The columns of the target rows as mapped and transformed so far, which
        the hook declared by `reads_target`."""
        return self._target if self._target is not None else Rows((), (), self._count)

    def column(self, name: str) -> Column:
        """A column as it came, of whatever type: keys to `Tables.resolve`."""
        column = self._columns.get(name)
        if column is None:
            raise internal(
                "undeclared-column", f"cannot read column `{name}`: the hook does not declare it"
            )
        return column

    def cells(self, name: str) -> List[Any]:
        """The cells of a column of whatever type it was declared as."""
        return self.column(name).cells

    def text(self, name: str) -> List[Optional[str]]:
        """A column of text."""
        return self._typed(name, Type.TEXT)

    def int64(self, name: str) -> List[Optional[int]]:
        """A column of whole numbers."""
        return self._typed(name, Type.INT64)

    def float64(self, name: str) -> List[Optional[float]]:
        """A column of binary floating-point numbers."""
        return self._typed(name, Type.FLOAT64)

    def decimal(self, name: str) -> List[Any]:
        """A column of exact decimal numbers: `decimal.Decimal`."""
        return self._typed(name, Type.DECIMAL)

    def boolean(self, name: str) -> List[Optional[bool]]:
        """A column of yes and no."""
        return self._typed(name, Type.BOOLEAN)

    def date(self, name: str) -> List[Any]:
        """A column of days: `datetime.date`."""
        return self._typed(name, Type.DATE)

    def timestamp(self, name: str) -> List[Any]:
        """A column of instants: `datetime.datetime` in UTC."""
        return self._typed(name, Type.TIMESTAMP)

    def binary(self, name: str) -> List[Optional[bytes]]:
        """A column of bytes."""
        return self._typed(name, Type.BINARY)

    def uuid(self, name: str) -> List[Any]:
        """A column of GUIDs: `uuid.UUID`."""
        return self._typed(name, Type.UUID)

    def _typed(self, name: str, type: Type) -> List[Any]:
        column = self.column(name)
        if column.type is not type:
            raise internal(
                "wrong-type", f"cannot read column `{name}`: expected {type.value}, "
                f"found {column.type.value}",
            )
        return column.cells


class Candidates:
    """The candidates of the rows whose key met several records."""

    def __init__(self, offsets: Sequence[int], rows: Rows) -> None:
        self._offsets = offsets
        self.rows = rows
        """All candidates of all rows: columns as `reads_current`."""

    def of(self, row: int) -> range:
        """Which of `rows` are those of a row."""
        return range(self._offsets[row], self._offsets[row + 1])

    def only(self, row: int, fits: Callable[[int], bool]) -> Optional[int]:
        """The position of the only candidate of a row that fits, as `Choices.set`
        takes it; none when none or several do. `fits` gets the record's row."""
        found = [record for record in self.of(row) if fits(record)]
        return found[0] - self.of(row).start if len(found) == 1 else None
