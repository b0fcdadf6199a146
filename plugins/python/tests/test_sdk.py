"""The package natively: typed columns, answers, settings, and the ready-made."""

import sys
import unittest
from datetime import date
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from dvsync_rules import (  # noqa: E402
    LEAVE, Country, Failure, Needs, Rule, Settings, Side, bits, boolean, choose, email, flag,
    fold_key, int64, matching, owner, phone, state, team, text, tidy, transform,
)
from dvsync_rules.answers import Output  # noqa: E402
from dvsync_rules.failure import told  # noqa: E402
from dvsync_rules.rule import find  # noqa: E402
from dvsync_rules.testing import Bench, Table, assert_rows_independent  # noqa: E402


class Sample(Rule):
    entities = ["account"]

    def configure(self, context):
        settings = context.settings()
        self.suffix = settings.text("suffix", "!")
        settings.finish()
        self.tables = context.tables

    @transform(lambda rule, context: Needs(
        reads=[text("name", required=True), context.number("count")],
        writes=[text("name"), int64("count")],
    ))
    def cells(self, rows, output):
        names = [tidy(name) for name in rows.text("name")]
        for row, name in enumerate(names):
            if name is None:
                output.reject(row, "no-name", "name", "there is no name")
                output.reject(row, "second", "name", "not told")
        output.set("name", [LEAVE if name == "leave" else name for name in names])
        output.set("count", rows.cells("count"))

    @matching(reads=[text("name")], reads_current=[text("name"), int64("statecode")])
    def key(self, side, rows, keys):
        keys.set([fold_key(name) for name in rows.text("name")])

    @choose
    def active(self, incoming, candidates, choices):
        states = candidates.rows.int64("statecode")
        choices.set([
            candidates.only(row, lambda record: states[record] == 0)
            for row in range(len(incoming))
        ])

    @state(reads=[boolean("closed")], reads_current=[int64("statecode")])
    def active_or_not(self, incoming, current, states):
        states.set([None if closed is None else int(closed) for closed in incoming.boolean("closed")])

    @owner(reads=[int64("seller")])
    def seller(self, incoming, current, owners):
        found = self.tables.resolve("people", "id", incoming.column("seller"), ["mail"])
        owners.set([mail or team("sales") for mail in found.text("mail")], by="mail")


def failure(call):
    try:
        call()
    except Failure as error:
        return f"{error.kind} {error.code}: {error.message}"
    return "none"


class HooksTest(unittest.TestCase):
    def test_cells_are_set_cleared_left_and_rows_rejected_once(self):
        table = Table({"name": [" a  b ", None, "leave"], "count": [1, None, 3]})
        bench = Bench(Sample, table)
        answer = bench.transform(table)
        self.assertEqual([answer.cell(row, "name") for row in range(3)], ["a b", None, LEAVE])
        self.assertEqual([answer.cell(row, "count") for row in range(3)], [1, None, 3])
        self.assertEqual(answer.verdict(1), "reject no-name (name): there is no name")
        self.assertEqual((answer.verdict(0), answer.verdict(2)), ("", ""))
        assert_rows_independent(table, lambda rows: bench.transform(rows).lines())

    def test_keys_choices_states_and_owners(self):
        source = Table({"name": ["a b", None], "closed": [True, None], "seller": [7, 8], "count": [1, 2]})
        people = Table({"id": [7, 7], "mail": ["ann@example.com", "other@example.com"]})
        bench = Bench(Sample, source, tables={"people": people})
        keys = bench.derive(Side.INCOMING, source)
        self.assertEqual((keys.cell(0, "key"), keys.cell(1, "key")), ("AB", ""))
        records = Table({"statecode": [1, 0, 0, 0]})
        chosen = bench.choose(source, [0, 2, 4], records)
        self.assertEqual((chosen.cell(0, "chosen"), chosen.cell(1, "chosen")), (1, -1))
        states = bench.state(source, Table.blank(2))
        self.assertEqual((states.cell(0, "statecode"), states.cell(1, "statecode")), (1, LEAVE))
        owners = bench.owner(source)
        self.assertEqual((owners.cell(0, "owner"), owners.cell(1, "owner")), ("ann@example.com", team("sales")))

    def test_a_rule_that_looks_at_other_rows_is_found_out(self):
        class Counting(Rule):
            entities = ["account"]

            @transform(reads=[text("name")], writes=[int64("count")])
            def count(self, rows, output):
                output.set("count", [len(rows)] * len(rows))

        table = Table({"name": ["a", "b"]})
        bench = Bench(Counting, table)
        with self.assertRaisesRegex(AssertionError, "row 0 depends on more than itself"):
            assert_rows_independent(table, lambda rows: bench.transform(rows).lines())

    def test_an_ambiguous_key_is_rejected_unless_the_rule_chooses(self):
        class Keyed(Rule):
            entities = ["account"]

            @matching(reads=[text("name")])
            def key(self, side, rows, keys):
                keys.set(rows.text("name"))

        source = Table({"name": ["a"]})
        answer = Bench(Keyed, source).choose(source, [0, 2], Table.blank(2))
        self.assertEqual(answer.verdict(0), "reject ambiguous-key: the key meets 2 records")


class AnswersTest(unittest.TestCase):
    def test_an_answer_that_cannot_be_is_refused_in_words(self):
        def output():
            return Output([text("name"), int64("count")], 2)

        def twice():
            one = output()
            one.set("name", ["a", "b"])
            one.set("name", ["a", "b"])

        cases = [
            (lambda: output().set("wages", [1, 2]),
             "internal bad-output: cannot set column `wages`: the hook does not declare it"),
            (lambda: output().set("name", ["a"]),
             "internal bad-output: column `name` has 1 values for 2 rows"),
            (lambda: output().set("count", [1, True]),
             "internal bad-output: cannot set column `count`: expected int64, found `True` (bool) in row 1"),
            (lambda: output().set("name", ["a", "\ud800"]),
             "internal bad-output: cannot set column `name`: '\\ud800' in row 1 is no text: it holds "
             "half of a surrogate pair"),
            (twice, "internal bad-output: column `name` is set twice"),
        ]
        for call, expected in cases:
            self.assertEqual(failure(call), expected)

    def test_a_column_is_read_as_it_was_declared(self):
        table = Table({"name": ["a"], "count": [1]})
        rows = Bench(Sample, table)._instance._incoming(
            Needs(reads=[int64("count")]), table.read([int64("count")]), 1
        )
        self.assertEqual(rows.int64("count"), [1])
        self.assertIn("does not declare it", failure(lambda: rows.text("name")))
        self.assertEqual(
            failure(lambda: rows.text("count")),
            "internal wrong-type: cannot read column `count`: expected text, found int64",
        )

    def test_what_a_hook_raises_is_told_with_its_line(self):
        try:
            int("x")
        except ValueError as error:
            words = told(error).message
        self.assertRegex(words, r"^ValueError: invalid literal .*: 'x' \(test_sdk.py:\d+\)$")

    def test_bits_are_packed_least_significant_first(self):
        flags = [row % 3 == 0 for row in range(19)]
        packed = bits.pack(flags)
        self.assertEqual(len(packed), 3)
        self.assertEqual(packed[0], 0b01001001)
        self.assertEqual(bits.unpack(packed, 19), flags)
        self.assertEqual(bits.pack([]), b"")

    def test_a_module_has_one_rule_with_a_hook(self):
        class Module:
            pass

        module = Module()
        module.__name__ = __name__
        with self.assertRaisesRegex(LookupError, "has none"):
            find(module)
        module.Sample = Sample
        self.assertIs(find(module), Sample)


class SettingsTest(unittest.TestCase):
    def test_settings_are_taken_by_name_and_type(self):
        settings = Settings({
            "t": "x", "b": True, "i": -7, "w": "two", "l": ["a"], "c": {"k": 4}, "m": {"k": "v"},
            "n": None,
        })
        self.assertEqual(settings.text("t"), "x")
        self.assertIs(settings.boolean("b"), True)
        self.assertEqual(settings.int32("i"), -7)
        self.assertEqual(settings.word("w", {"one": 1, "two": 2}, 0), 2)
        self.assertEqual(settings.texts("l"), ["a"])
        self.assertEqual(settings.codes("c"), {"k": 4})
        self.assertEqual(settings.words("m"), {"k": "v"})
        self.assertEqual(settings.text("n", "else"), "else")
        settings.finish()

    def test_a_wrong_setting_is_told_by_name(self):
        def all_of(document):
            settings = Settings(document)
            settings.boolean("owners")
            settings.int32("status")
            settings.word("format", {"long": 1, "short": 2}, 1)
            settings.texts("skip")
            settings.codes("codes")
            settings.finish()

        cases = [
            ({"owner": True},
             "`owner` is not known, but `owners`, `status`, `format`, `skip`, `codes` are"),
            ({"owners": "yes"}, "`owners`: expected a boolean, found text"),
            ({"status": 1.5}, "`status`: a number is not whole, or not of 32 bits"),
            ({"status": 3_000_000_000}, "`status`: a number is not whole, or not of 32 bits"),
            ({"format": "tall"}, "`format`: `tall` is none of `long`, `short`"),
            ({"skip": "x"}, "`skip`: expected a list of text, found text"),
            ({"codes": {"a": "b"}}, "`codes`: expected a whole number, found text"),
            ([], "expected a map, found a list"),
        ]
        for document, expected in cases:
            self.assertEqual(
                failure(lambda: all_of(document)), f"misconfigured bad-settings: settings: {expected}"
            )


class ReadyMadeTest(unittest.TestCase):
    def test_text_is_tidied_and_folded(self):
        for cell, tidied, folded in [
            (None, None, ""), ("", None, ""), ("   ", None, ""), ("Bike Store", "Bike Store", "BIKESTORE"),
            ("  Bike \t Store\r\n", "Bike Store", "BIKESTORE"),
            ("M\u00fcnchen\u00a0\u00a0S\u00fcd", "M\u00fcnchen S\u00fcd", "M\u00dcNCHENS\u00dcD"),
            ("stra\u00dfe 1", "stra\u00dfe 1", "STRASSE1"),
        ]:
            self.assertEqual((tidy(cell), fold_key(cell)), (tidied, folded), cell)

    def test_a_flag_is_read_from_whatever_there_is(self):
        cases = [(None, None), (" ", None), (True, True), (0, False), ("Yes", True), ("f", False)]
        for cell, expected in cases:
            self.assertIs(flag(cell), expected, cell)
        with self.assertRaisesRegex(ValueError, "`2` is neither yes nor no"):
            flag(2)

    def test_addresses_have_one_form(self):
        self.assertEqual(email.normalize(" JOS\u00c91@Example.COM\t"), "jos\u00e91@example.com")
        for cell, words in [
            ("jon24", "has not one `@`"), ("a@b@example.com", "has not one `@`"),
            ("jon24@localhost", "has no domain"), ("jon24@example..com", "has no domain"),
            ("jon 24@example.com", "has a character"), ("a" * 100 + "@example.com", "is longer"),
        ]:
            with self.assertRaisesRegex(email.EmailError, words):
                email.normalize(cell)

    def test_telephone_numbers_have_one_form(self):
        au, uk, us = Country.find("Australia"), Country.find("uk"), Country.find("US")
        for cell, country, expected in [
            ("1 (11) 500 555-0162", au, "+61 500 555 0162"), ("398-555-0132", au, "+1 398 555 0132"),
            ("+44 (0)20 7946 0018", None, "+44 20 7946 0018"), ("020 7946 0018", uk, "+44 20 7946 0018"),
            ("3985550132 ext. 12", us, "+1 398 555 0132 x12"), ("0061500555016", None, "+61 500555016"),
        ]:
            self.assertEqual(phone.normalize(cell, country), expected)
        self.assertEqual(phone.normalize("398-555-0132", None, "e164"), "+13985550132")
        self.assertEqual(phone.write("1 (11) 500 555-0162", None), "1 11 500 555 0162")
        self.assertIsNone(phone.write("n/a", None, otherwise="clear"))
        for cell in ["n/a", "", "12", "+" * 3, "1" * 21]:
            with self.assertRaisesRegex(phone.PhoneError, "is not a telephone number"):
                phone.normalize(cell, us)

    def test_types_of_a_table_are_those_of_its_cells(self):
        table = Table({"a": [None, Decimal("1.5")], "b": [date(2026, 1, 1), None], "c": [None, None]})
        self.assertEqual([field.type.value for field in table.fields()], ["decimal128", "date32", "text"])


if __name__ == "__main__":
    unittest.main()
