"""Which columns a hook reads and sets: declared once, checked by name. Pure."""

from dataclasses import dataclass, replace
from enum import Enum
from typing import Sequence


class Type(Enum):
    """The type in which a column crosses the boundary; the value is the
    contract's word for it."""

    BOOLEAN = "boolean"
    INT64 = "int64"
    FLOAT64 = "float64"
    DECIMAL = "decimal128"
    DATE = "date32"
    TIMESTAMP = "timestamp-us"
    TEXT = "text"
    BINARY = "binary"
    UUID = "uuid"


@dataclass(frozen=True)
class Field:
    """A column that exists, or that a hook asks for. The host casts to its type
    what it can without loss, and refuses the rest by the column's name."""

    name: str
    type: Type
    required: bool = False
    nullable: bool = True


def text(name: str, required: bool = False) -> Field:
    """UTF-8 text: `str`."""
    return Field(name, Type.TEXT, required)


def int64(name: str, required: bool = False) -> Field:
    """Whole numbers, choices too: `int`."""
    return Field(name, Type.INT64, required)


def float64(name: str, required: bool = False) -> Field:
    """Binary floating-point numbers: `float`."""
    return Field(name, Type.FLOAT64, required)


def decimal(name: str, required: bool = False) -> Field:
    """Exact decimal numbers, money too: `decimal.Decimal`."""
    return Field(name, Type.DECIMAL, required)


def boolean(name: str, required: bool = False) -> Field:
    """Yes or no: `bool`."""
    return Field(name, Type.BOOLEAN, required)


def date(name: str, required: bool = False) -> Field:
    """Days: `datetime.date`."""
    return Field(name, Type.DATE, required)


def timestamp(name: str, required: bool = False) -> Field:
    """Instants: `datetime.datetime` in UTC."""
    return Field(name, Type.TIMESTAMP, required)


def binary(name: str, required: bool = False) -> Field:
    """Bytes: `bytes`."""
    return Field(name, Type.BINARY, required)


def uuid(name: str, required: bool = False) -> Field:
    """GUIDs: `uuid.UUID`."""
    return Field(name, Type.UUID, required)


@dataclass(frozen=True)
class Needs:
    """What one hook reads and sets. The host passes what is listed, no more.

    `reads` are columns of the source row, `reads_target` those of the target row
    as mapped and transformed so far, `reads_current` those of the record that the
    target holds now; `writes` is for `transform` only.
    """

    reads: Sequence[Field] = ()
    reads_target: Sequence[Field] = ()
    reads_current: Sequence[Field] = ()
    writes: Sequence[Field] = ()

    def but(self, **changes: Sequence[Field]) -> "Needs":
        """The same with some lists changed."""
        return replace(self, **changes)
