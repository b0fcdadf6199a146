"""Rules for contacts: customers with an address, a telephone number and an e-mail
address. The rule `contact` that dvsync ships, in Python; its README says what each
column and setting means.
"""

from typing import Callable, List, Optional

import names
from columns import (
    COUNTRY, CUSTOMER_NUMBER, EMAIL, PHONE, PHONE_TYPE, TELEPHONES, TERRITORY, TEXTS,
)
from dvsync_rules import (
    Candidates, Choices, Context, Country, Keys, LEAVE, Needs, Output, Owners, Rows, Rule, Side,
    choose, email, flag, fold_key, int64, matching, owner, phone, text, tidy, transform,
)
from settings import Settings


def transform_needs(rule: "Contact", context: Context) -> Needs:
    """A column that the source has not is neither read nor written."""
    settings = rule.settings
    reads, writes = [CUSTOMER_NUMBER], ["externaluseridentifier"]
    if context.has(EMAIL):
        reads.append(EMAIL)
        writes += ["emailaddress1", *(["firstname", "lastname"] if settings.names else [])]
    telephones = rule.telephones(context)
    if telephones:
        reads += [PHONE, PHONE_TYPE, COUNTRY]
        reads += [TERRITORY] if settings.territory_countries else []
        writes += telephones
    for source, target in TEXTS:
        if context.has(source) and settings.writes(target):
            reads.append(source)
            writes.append(target)
    wanted = [name for name in dict.fromkeys(reads) if context.has(name) or name == reads[0]]
    return Needs(
        reads=[text(name, required=name == CUSTOMER_NUMBER) for name in wanted],
        writes=[text(name) for name in writes if settings.writes(name)],
    )


def owner_needs(rule: "Contact", context: Context) -> Needs:
    return Needs(reads=[context.identifier(TERRITORY)] if rule.owns_by_territory else [])


class Contact(Rule):
    entities = ["contact"]
    tables = ["salespeople"]

    def configure(self, context: Context) -> None:
        self.settings = Settings.read(context)
        self.tables_granted = context.tables
        self.owns_by_territory = self.settings.owner_by_territory and context.has(TERRITORY)

    @transform(transform_needs)
    def cells(self, rows: Rows, output: Output) -> None:
        # The order is that in which faults of one row are told: the first counts.
        numbers = [tidy(cell) for cell in rows.text(CUSTOMER_NUMBER)]
        for row, number in enumerate(numbers):
            if number is None:
                message = f"`{CUSTOMER_NUMBER}` is empty"
                output.reject(row, "no-customer-number", CUSTOMER_NUMBER, message)
        set_where_written(output, "externaluseridentifier", numbers)
        if rows.has(EMAIL):
            self.write_email(rows, output)
        if rows.has(PHONE):
            self.write_telephones(rows, output)
        for source, target in TEXTS:
            if output.writes(target):
                output.set(target, [tidy(cell) for cell in rows.text(source)])

    def write_email(self, rows: Rows, output: Output) -> None:
        """The address, and the name that shows in it."""
        addresses: List[Optional[str]] = []
        first, last = [], []
        for row, cell in enumerate(rows.text(EMAIL)):
            address = None
            if cell and cell.strip():
                try:
                    address = email.normalize(cell)
                except email.EmailError as error:
                    if not self.settings.clears_bad_email:
                        output.reject(row, "bad-email", EMAIL, f"`{cell.strip()}` {error}")
            addresses.append(address)
            # What cannot be derived stays as somebody may have typed it.
            name = names.of_email(address) if address else None
            first.append(names.capitalized(name[0]) if name and name[0] is not None else LEAVE)
            last.append(names.capitalized(name[1]) if name else LEAVE)
        set_where_written(output, "emailaddress1", addresses)
        set_where_written(output, "firstname", first)
        set_where_written(output, "lastname", last)

    def telephones(self, context: Context) -> List[str]:
        """The target columns that the source's numbers may go to."""
        if not context.has(PHONE):
            return []
        used = set(self.settings.phone_types.values()) if context.has(PHONE_TYPE) else set()
        meant = [name for name in TELEPHONES if name == TELEPHONES[0] or name in used]
        return [name for name in meant if self.settings.writes(name)]

    def write_telephones(self, rows: Rows, output: Output) -> None:
        """A row has one number of one kind: its column is set, or cleared where the
        row has no number; the others stay."""
        settings = self.settings
        columns = {name: [LEAVE] * len(rows) for name in TELEPHONES}
        kinds = rows.text(PHONE_TYPE) if rows.has(PHONE_TYPE) else [None] * len(rows)
        country_of = self.countries(rows)
        for row, cell in enumerate(rows.text(PHONE)):
            kind = (kinds[row] or "").strip()
            column = settings.phone_types.get(kind) if kind else TELEPHONES[0]
            if column is None:
                known = "`, `".join(settings.phone_types)
                output.reject(row, "unknown-code", PHONE_TYPE, f"`{kind}` is none of `{known}`")
                continue
            number = (cell or "").strip()
            columns[column][row] = None
            if number:
                try:
                    columns[column][row] = phone.write(
                        number, country_of(row), settings.phone_format, settings.bad_phone
                    )
                except phone.PhoneError as error:
                    output.reject(row, "bad-phone", PHONE, f"`{number}` {error}")
        for name, cells in columns.items():
            set_where_written(output, name, cells)

    def countries(self, rows: Rows) -> Callable[[int], Optional[Country]]:
        """The country of a row, by address or else by territory."""
        countries = rows.text(COUNTRY) if rows.has(COUNTRY) else None
        territories = rows.text(TERRITORY) if rows.has(TERRITORY) else None
        settings = self.settings

        def country_of(row: int) -> Optional[Country]:
            name = (countries[row] or "") if countries else ""
            if name.strip():
                return Country.find(name) or settings.default_country
            territory = (territories[row] or "").strip() if territories else ""
            return settings.territory_countries.get(territory, settings.default_country)

        return country_of

    @matching(
        reads=[text(CUSTOMER_NUMBER, required=True)],
        reads_current=[text("externaluseridentifier"), int64("statecode")],
    )
    def key(self, side: Side, rows: Rows, keys: Keys) -> None:
        name = CUSTOMER_NUMBER if side is Side.INCOMING else "externaluseridentifier"
        keys.set([fold_key(cell) for cell in rows.text(name)])

    @choose
    def only_active(self, incoming: Rows, candidates: Candidates, choices: Choices) -> None:
        """The only active contact of that number; without one a person must look."""
        states = candidates.rows.int64("statecode")
        chosen = []
        for row, number in enumerate(incoming.text(CUSTOMER_NUMBER)):
            position = candidates.only(row, lambda record: states[record] == 0)
            chosen.append(position)
            if position is None:
                count = len(candidates.of(row))
                message = f"`{number or ''}` meets {count} contacts, not just one of them active"
                choices.reject(row, "ambiguous-contact", CUSTOMER_NUMBER, message)
        choices.set(chosen)

    @owner(owner_needs)
    def salesperson(self, incoming: Rows, current: Rows, owners: Owners) -> None:
        """The first sales person of the territory, where that one is current."""
        fallback = self.settings.fallback_owner
        if not self.owns_by_territory:
            owners.set([fallback] * len(incoming), by="internalemailaddress")
            return
        found = self.tables_granted.resolve(
            "salespeople", TERRITORY, incoming.column(TERRITORY), ["email", "current"]
        )
        owners.set(
            [
                address.strip() if address and address.strip() and is_yes(current) else fallback
                for address, current in zip(found.text("email"), found.cells("current"))
            ],
            by="internalemailaddress",
        )


def is_yes(cell: object) -> bool:
    try:
        return flag(cell) is True
    except ValueError:
        return False


def set_where_written(output: Output, name: str, cells: List[Optional[str]]) -> None:
    if output.writes(name):
        output.set(name, cells)
