"""The `transform` of `tests/guests/honest`, for the benchmark `languages`."""

from decimal import Decimal

from dvsync_rules import (
    Output, Rows, Rule, boolean, date, decimal, float64, int64, text, timestamp, transform,
)

UNIT = Decimal("0.0001")


class Honest(Rule):
    entities = ["account"]

    @transform(
        reads=[
            text("name", required=True), int64("employees", required=True), float64("revenue"),
            timestamp("joined"), boolean("active"),
        ],
        writes=[
            text("name"), int64("numberofemployees"), decimal("revenue"), boolean("active"),
            date("since"),
        ],
    )
    def cells(self, rows: Rows, output: Output) -> None:
        names = rows.text("name")
        output.set("name", [None if name is None else name.upper() for name in names])
        output.set(
            "numberofemployees",
            [None if count is None else count + 1 for count in rows.int64("employees")],
        )
        output.set("revenue", [
            None if value is None else int(value * 10_000) * UNIT
            for value in rows.float64("revenue")
        ])
        output.set("active", rows.boolean("active"))
        output.set("since", [
            None if joined is None else joined.date() for joined in rows.timestamp("joined")
        ])
