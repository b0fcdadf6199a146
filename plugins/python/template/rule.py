"""Rules for accounts: names are tidied, and an account needs one."""

from dvsync_rules import Output, Rows, Rule, text, tidy, transform


class Accounts(Rule):
    """The rule; its name and version stand in `pyproject.toml`."""

    entities = ["account"]

    @transform(reads=[text("name", required=True)], writes=[text("name")])
    def names(self, rows: Rows, output: Output) -> None:
        names = [tidy(name) for name in rows.text("name")]
        for row, name in enumerate(names):
            if name is None:
                output.reject(row, "no-name", "name", "the account has no name")
        output.set("name", names)
