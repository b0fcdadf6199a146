"""The rule natively: quicker than in the sandbox, and a debugger works."""

import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "sdk")]

from dvsync_rules.testing import Bench, Table, assert_rows_independent  # noqa: E402
from rule import Accounts  # noqa: E402


class AccountsTest(unittest.TestCase):
    def test_names_are_tidied_and_blank_ones_are_rejected(self) -> None:
        table = Table({"name": ["  Bike   World ", " "]})
        bench = Bench(Accounts, table)
        answer = bench.transform(table)
        self.assertEqual(answer.cell(0, "name"), "Bike World")
        self.assertEqual(answer.verdict(1), "reject no-name (name): the account has no name")
        assert_rows_independent(table, lambda rows: bench.transform(rows).lines())


if __name__ == "__main__":
    unittest.main()
