"""What a rule may depend on apart from rows and tables. Pure."""

import json
from typing import Callable, List, Optional, Sequence

from .fields import Field, Type
from .rows import Column, Rows
from .failure import internal, misconfigured
from .settings import Settings

Resolve = Callable[[str, str, Column, Sequence[str]], List[Column]]


class Tables:
    """The tables that the job grants, read-only."""

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve

    def resolve(self, table: str, by: str, keys: Column, columns: Sequence[str]) -> Rows:
        """The given columns of the table's row whose column `by` equals each key;
        nulls where there is none or the key is null. Of several such rows the
        first counts. Calls are counted: pass a whole column of keys, such as
        `rows.column("territory_id")`."""
        found = self._resolve(table, by, keys, list(columns))
        if len(found) != len(columns):
            raise internal("lookup", f"{len(found)} columns came, {len(columns)} were asked for")
        fields = [Field(name, column.type) for name, column in zip(columns, found)]
        return Rows(fields, found, len(keys))


class Context:
    """The job as the rule sees it; the same for the whole run and its replay."""

    def __init__(
        self,
        entity: str,
        settings_json: str,
        source: Sequence[Field],
        target: Sequence[Field],
        seed: int,
        now_us: int,
        tables: Tables,
    ) -> None:
        self.entity = entity
        """Logical name: `account`."""
        self.settings_json = settings_json
        self.source = list(source)
        """Columns that the source has."""
        self.target = list(target)
        """Columns that the target has; empty when they are not known yet."""
        self.seed = seed
        """The only randomness that there is."""
        self.now_us = now_us
        """The start of the run, microseconds since 1970-01-01T00:00:00Z: the only
        clock that there is."""
        self.tables = tables
        """The granted tables."""

    def settings(self) -> Settings:
        """The settings, to be taken one by one."""
        try:
            document = json.loads(self.settings_json or "{}")
        except ValueError as error:
            raise misconfigured("bad-settings", f"settings: no JSON: {error}") from None
        return Settings(document)

    def has(self, name: str) -> bool:
        """The source has a column of that name."""
        return self.source_type(name) is not None

    def source_type(self, name: str) -> Optional[Type]:
        """The type of a source column; none where there is no such column."""
        return next((field.type for field in self.source if field.name == name), None)

    def number(self, name: str) -> Field:
        """A source column of numbers, asked for as the source has it: integers and
        decimals as they are, everything else as text, so that one cell that is not
        a number costs its row and not the job. To be read with `rows.cells`."""
        found = self.source_type(name)
        return Field(name, found if found in (Type.INT64, Type.DECIMAL) else Type.TEXT)

    def flag(self, name: str) -> Field:
        """A source column that says yes or no, asked for as the source has it. To
        be read with `rows.cells` and `flag`."""
        found = self.source_type(name)
        return Field(name, found if found in (Type.INT64, Type.BOOLEAN) else Type.TEXT)

    def identifier(self, name: str) -> Field:
        """A source column of identifiers: integers where the source has integers
        or whole floats, else text. To be read with `rows.column`, as keys to
        `Tables.resolve`."""
        found = self.source_type(name)
        if found in (Type.INT64, Type.FLOAT64):
            return Field(name, Type.INT64)
        return Field(name, Type.UUID if found is Type.UUID else Type.TEXT)
