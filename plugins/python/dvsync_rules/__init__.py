"""What a Python rule author imports: declared columns, rows, answers, settings.

A rule is a class below `Rule` with a method for each hook that it has::

    from dvsync_rules import Output, Rows, Rule, text, tidy, transform


    class Accounts(Rule):
        entities = ["account"]

        @transform(reads=[text("name", required=True)], writes=[text("name")])
        def names(self, rows: Rows, output: Output) -> None:
            names = [tidy(name) for name in rows.text("name")]
            for row, name in enumerate(names):
                if name is None:
                    output.reject(row, "no-name", "name", "the account has no name")
            output.set("name", names)

Promises: no IO, no clock, no randomness; what the host would refuse is refused
here, with words that name it. The same classes exist natively, so a rule is
tested by `unittest` with `dvsync_rules.testing`. What a rule says of a row
depends on that row, the context and the granted tables only.
"""

from . import email, log, phone
from .answers import Choices, Keys, LEAVE, Output, Owners, States, team
from .context import Context, Tables
from .country import Country
from .failure import Failure, internal, invalid_input, misconfigured
from .fields import (
    Field, Needs, Type, binary, boolean, date, decimal, float64, int64, text, timestamp, uuid,
)
from .rows import Candidates, Column, Rows, Side
from .rule import Rule, choose, matching, owner, state, transform
from .settings import Settings
from .clean import flag, fold_key, tidy

__all__ = [
    "Candidates", "Choices", "Column", "Context", "Country", "Failure", "Field", "Keys", "LEAVE",
    "Needs", "Output", "Owners", "Rows", "Rule", "Settings", "Side", "States", "Tables", "Type",
    "binary", "boolean", "choose", "date", "decimal", "email", "flag", "float64", "fold_key",
    "int64", "internal", "invalid_input", "log", "matching", "misconfigured", "owner", "phone",
    "state", "team", "text", "tidy", "timestamp", "transform", "uuid",
]
