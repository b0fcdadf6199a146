"""The rule as a component: the contract's types to and from those of this package.

Only inside a component: it stands on what `componentize-py` generates from the
contract (`wit_world`). `dvsync rules build` writes the entry module that calls
`load` and exports the classes here for the hooks that the rule has.
"""

import codecs
from datetime import date, datetime, timedelta, timezone
from decimal import Context as Precision
from decimal import Decimal
from itertools import accumulate
from typing import Any, Callable, Dict, List, NoReturn, Optional, Sequence, Tuple
from uuid import UUID

from componentize_py_types import Err  # type: ignore[import-not-found]
from wit_world import exports  # type: ignore[import-not-found]
from wit_world.imports import log as wit_log  # type: ignore[import-not-found]
from wit_world.imports import lookups, types  # type: ignore[import-not-found]

from . import bits, log
from .answers import Set, Verdict
from .context import Context, Tables
from .failure import internal, told
from .fields import Field, Type
from .instance import Instance
from .rows import Column, Side
from .rule import Rule

# What is imported on first use must be there when the component is made: a
# component finds no files.
for _codec in ("ascii", "latin-1", "cp1252", "utf-16-le", "utf-16-be", "utf-32-le"):
    codecs.lookup(_codec)

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_DAY_0 = date(1970, 1, 1).toordinal()
_EXACT = Precision(prec=100)
_FLOAT_US_MAX = 1 << 52
"""Microseconds up to which seconds as a float tell each one apart: the year 2112."""

_TYPES = {
    types.ValueType.BOOLEAN: Type.BOOLEAN,
    types.ValueType.INT64: Type.INT64,
    types.ValueType.FLOAT64: Type.FLOAT64,
    types.ValueType.DECIMAL128: Type.DECIMAL,
    types.ValueType.DATE32: Type.DATE,
    types.ValueType.TIMESTAMP_US: Type.TIMESTAMP,
    types.ValueType.TEXT: Type.TEXT,
    types.ValueType.BINARY: Type.BINARY,
    types.ValueType.UUID: Type.UUID,
    types.ValueType.STRINGS: Type.TEXT,
}
_ASKED = {ours: theirs for theirs, ours in _TYPES.items()}
"""Text is asked for as `strings`: the later of the two, and quicker from Python."""

_rule: type = Rule
_name = ""
_version = ""
_instance: Optional[Instance] = None


def load(rule: type, name: str, version: str) -> None:
    """Says which rule the component is, and the project's name and version."""
    global _rule, _name, _version
    _rule, _name, _version = rule, rule.name or name, rule.version or version
    log._write = lambda level, message: wit_log.log(
        getattr(wit_log.Level, level.upper()), _sound(message)
    )


# What a hook raises.

_FAILURES = {
    "misconfigured": types.Failure_Misconfigured,
    "invalid-input": types.Failure_InvalidInput,
    "internal": types.Failure_Internal,
}


def _fail(error: BaseException) -> NoReturn:
    if isinstance(error, MemoryError):
        # A trap: the host knows why.
        raise error
    failure = told(error)
    detail = types.Detail(failure.code, _sound(failure.message))
    raise Err(_FAILURES[failure.kind](detail)) from None


def _sound(message: Any) -> str:
    """Text for a person: without halves of surrogate pairs."""
    return str(message).encode("utf-8", "replace").decode()


def _configured() -> Instance:
    if _instance is None:
        raise internal("bad-call", "a hook was called before `configure`")
    return _instance


# Columns in.

def _nulled(cells: List[Any], validity: Optional[bytes]) -> List[Any]:
    if validity is None:
        return cells
    present = bits.unpack(validity, len(cells))
    return [cell if there else None for cell, there in zip(cells, present)]


def _date(day: int) -> date:
    return date.fromordinal(day + _DAY_0)


def _instants(values: List[int], validity: Optional[bytes]) -> List[Any]:
    instant = datetime.fromtimestamp
    if values and -_FLOAT_US_MAX < min(values) and max(values) < _FLOAT_US_MAX:
        return _mapped(lambda value: instant(value / 1e6, timezone.utc), values, validity)
    return _mapped(lambda value: _EPOCH + timedelta(microseconds=value), values, validity)


def _mapped(read: Callable[[Any], Any], cells: List[Any], validity: Optional[bytes]) -> List[Any]:
    """What lies under a null is not read."""
    if validity is None:
        return list(map(read, cells))
    present = bits.unpack(validity, len(cells))
    return [read(cell) if there else None for cell, there in zip(cells, present)]


def _pieces(data: bytes, size: int) -> List[bytes]:
    return [data[start:start + size] for start in range(0, len(data), size)]


def _texts(buffers: Any, validity: Optional[bytes]) -> List[Optional[str]]:
    offsets, data = buffers.offsets, buffers.data
    whole = data.decode()
    if len(whole) == len(data):
        cells = [whole[start:end] for start, end in zip(offsets, offsets[1:])]
    else:
        cells = [data[start:end].decode() for start, end in zip(offsets, offsets[1:])]
    return _nulled(cells, validity)


def _lift(column: Any, rows: int) -> Column:
    """A column of a call; its cells are made when they are asked for."""
    values, validity = column.values, column.validity
    if isinstance(values, types.Values_Strings):
        return Column(column.name, Type.TEXT, values.value, raw=column)
    kind, load = _LIFTS[type(values)]
    return Column(
        column.name, kind, rows=rows, load=lambda: load(values.value, validity, rows), raw=column
    )


def _decimals(buffers: Any, validity: Optional[bytes], rows: int) -> List[Any]:
    unit = Decimal(1).scaleb(-buffers.scale)

    def read(data: bytes) -> Decimal:
        return _EXACT.multiply(int.from_bytes(data, "little", signed=True), unit)

    return _mapped(read, _pieces(buffers.data, 16), validity)


def _binaries(buffers: Any, validity: Optional[bytes], rows: int) -> List[Any]:
    offsets = buffers.offsets
    cells = [buffers.data[start:end] for start, end in zip(offsets, offsets[1:])]
    return _nulled(cells, validity)


_LIFTS: Dict[type, Tuple[Type, Callable[[Any, Optional[bytes], int], List[Any]]]] = {
    types.Values_Boolean: (Type.BOOLEAN, lambda v, n, rows: _nulled(bits.unpack(v, rows), n)),
    types.Values_Int64: (Type.INT64, lambda v, n, rows: _nulled(v, n)),
    types.Values_Float64: (Type.FLOAT64, lambda v, n, rows: _nulled(v, n)),
    types.Values_Decimal128: (Type.DECIMAL, _decimals),
    types.Values_Date32: (Type.DATE, lambda v, n, rows: _mapped(_date, v, n)),
    types.Values_TimestampUs: (Type.TIMESTAMP, lambda v, n, rows: _instants(v, n)),
    types.Values_Text: (Type.TEXT, lambda v, n, rows: _texts(v, n)),
    types.Values_Binary: (Type.BINARY, _binaries),
    types.Values_Uuid: (
        Type.UUID, lambda v, n, rows: _mapped(lambda b: UUID(bytes=b), _pieces(v, 16), n),
    ),
}


def _lifted(columns: List[Any], rows: int) -> List[Column]:
    return [_lift(column, rows) for column in columns]


# Columns out.

def _plain(cells: List[Any], has_nulls: bool, otherwise: Any) -> List[Any]:
    return [otherwise if cell is None else cell for cell in cells] if has_nulls else cells


def _packed(parts: Sequence[bytes]) -> Any:
    return types.TextBuffers(list(accumulate(map(len, parts), initial=0)), b"".join(parts))


def _lower_decimals(cells: List[Any], has_nulls: bool) -> Any:
    numbers = [cell for cell in cells if cell is not None] if has_nulls else cells
    numbers = [Decimal(number) if type(number) is int else number for number in numbers]
    scale = _scale(numbers)
    unit = Decimal(1).scaleb(scale)
    whole = iter([int(_EXACT.multiply(number, unit)) for number in numbers])
    data = b"".join([
        (0 if cell is None else next(whole)).to_bytes(16, "little", signed=True) for cell in cells
    ])
    return types.Values_Decimal128(types.DecimalBuffers(38, scale, data))


def _scale(numbers: List[Decimal]) -> int:
    """Digits after the point of the one that has most."""
    if not numbers:
        return 0
    scale = -int(numbers[0].as_tuple().exponent)
    if not all(map(numbers[0].same_quantum, numbers)):
        scale = max(-int(number.as_tuple().exponent) for number in numbers)
    return max(scale, 0)


def _day(cell: Any) -> int:
    return cell if type(cell) is int else cell.toordinal() - _DAY_0


def _microseconds(cell: Any) -> int:
    if type(cell) is int:
        return cell
    since = (cell if cell.tzinfo else cell.replace(tzinfo=timezone.utc)) - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


_LOWERS: Dict[Type, Callable[[List[Any], bool], Any]] = {
    Type.INT64: lambda cells, n: types.Values_Int64(_plain(cells, n, 0)),
    Type.FLOAT64: lambda cells, n: types.Values_Float64(
        list(map(float, _plain(cells, n, 0.0)))
    ),
    Type.BOOLEAN: lambda cells, n: types.Values_Boolean(bits.pack(_plain(cells, n, False))),
    Type.DECIMAL: _lower_decimals,
    Type.DATE: lambda cells, n: types.Values_Date32(list(map(_day, _plain(cells, n, 0)))),
    Type.TIMESTAMP: lambda cells, n: types.Values_TimestampUs(
        list(map(_microseconds, _plain(cells, n, 0)))
    ),
    Type.BINARY: lambda cells, n: types.Values_Binary(_packed(_plain(cells, n, b""))),
    Type.UUID: lambda cells, n: types.Values_Uuid(
        b"".join([bytes(16) if cell is None else cell.bytes for cell in cells])
    ),
}


def _lower(name: str, kind: Type, cells: List[Any], has_nulls: bool) -> Any:
    if kind is Type.TEXT:
        return types.Column(name, None, types.Values_Strings(cells))
    validity = bits.pack([cell is not None for cell in cells]) if has_nulls else None
    return types.Column(name, validity, _LOWERS[kind](cells, has_nulls))


def _setting(column: Set) -> Any:
    lowered = _lower(column.name, column.type, column.cells, column.has_nulls)
    return exports.transform.Setting(lowered, column.leave)


_KINDS = {"reject": types.VerdictKind.REJECT, "drop": types.VerdictKind.DROP,
          "defer": types.VerdictKind.DEFER}


def _verdicts(verdicts: Dict[int, Verdict]) -> List[Any]:
    return [
        types.Verdict(one.row, _KINDS[one.kind], one.code, one.column, _sound(one.message))
        for one in verdicts.values()
    ]


def _keys(keys: Sequence[str]) -> Any:
    return _packed([key.encode() for key in keys])


# Context and tables.

def _resolve(table: str, by: str, keys: Column, columns: Sequence[str]) -> List[Column]:
    raw = keys.raw if keys.raw is not None else _lower(keys.name, keys.type, keys.cells, True)
    try:
        found = lookups.resolve(table, by, raw, list(columns))
    except Err as error:
        raise internal("lookup", str(error.value)) from None
    return _lifted(found, len(keys))


def _fields(fields: List[Any]) -> List[Field]:
    return [Field(field.name, _TYPES[field.type], field.required, field.nullable)
            for field in fields]


def _context(context: Any) -> Context:
    return Context(
        context.entity, context.settings, _fields(context.source), _fields(context.target),
        context.seed, context.now_us, Tables(_resolve),
    )


def _asked(fields: Sequence[Field]) -> List[Any]:
    return [types.Field(field.name, _ASKED[field.type], field.nullable, field.required)
            for field in fields]


# What the component exports.

class Plugin:
    """The interface `plugin`."""

    def describe(self) -> Any:
        return exports.plugin.Description(
            _name, _version, list(_rule.entities), _rule.settings_schema, list(_rule.tables)
        )

    def needs(self, context: Any) -> List[Any]:
        try:
            return [
                exports.plugin.Hook(
                    hook, _asked(needs.reads), _asked(needs.reads_target),
                    _asked(needs.reads_current), _asked(needs.writes),
                )
                for hook, needs in Instance(_rule, _context(context)).needs
            ]
        except BaseException as error:
            _fail(error)

    def configure(self, context: Any) -> None:
        global _instance
        try:
            _instance = Instance(_rule, _context(context))
        except BaseException as error:
            _fail(error)


class Transform:
    """The interface `transform`."""

    def apply(self, rows: int, columns: List[Any]) -> Any:
        try:
            output = _configured().apply(rows, _lifted(columns, rows))
            settings = [_setting(column) for column in output.columns.values()]
            return exports.transform.Output(settings, _verdicts(output.verdicts))
        except BaseException as error:
            _fail(error)


class Matching:
    """The interface `matching`."""

    def derive(self, side: Any, rows: int, columns: List[Any]) -> Any:
        try:
            ours = Side.INCOMING if side == exports.matching.Side.INCOMING else Side.CURRENT
            keys = _configured().derive(ours, rows, _lifted(columns, rows))
            return exports.matching.RowKeys(_keys(keys.finish()), _verdicts(keys.verdicts))
        except BaseException as error:
            _fail(error)

    def choose(
        self, rows: int, incoming: List[Any], offsets: List[int], candidates: List[Any]
    ) -> Any:
        try:
            choices = _configured().choose(
                rows, _lifted(incoming, rows), offsets, _lifted(candidates, offsets[-1])
            )
            return exports.matching.Choices(choices.finish(), _verdicts(choices.verdicts))
        except BaseException as error:
            _fail(error)


class State:
    """The interface `state`."""

    def decide(self, rows: int, incoming: List[Any], current: List[Any]) -> Any:
        try:
            states = _configured().state(rows, _lifted(incoming, rows), _lifted(current, rows))
            statecodes, statuscodes = states.finish()
            return exports.state.Decision(statecodes, statuscodes, _verdicts(states.verdicts))
        except BaseException as error:
            _fail(error)


class Owner:
    """The interface `owner`."""

    def decide(self, rows: int, incoming: List[Any], current: List[Any]) -> Any:
        try:
            owners = _configured().owner(rows, _lifted(incoming, rows), _lifted(current, rows))
            kinds, by, keys = owners.finish()
            return exports.owner.Decision(
                bytes(kinds), by, _keys(keys), _verdicts(owners.verdicts)
            )
        except BaseException as error:
            _fail(error)
