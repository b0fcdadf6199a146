"""E-mail addresses in one form: lower case, without blanks around. Pure.

Checked as far as a typing error shows: one `@`, something before it, a domain
with a dot, no blanks or control characters, at most 100 UTF-16 units (what
Dataverse's e-mail columns hold).
"""

import re

UNITS_MAX = 100
_DELIMITERS = frozenset('<>(),;:"[]\\')
_PLAIN = re.compile(r"[A-Za-z0-9._-]+@[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+\Z").match


class EmailError(ValueError):
    """Why a text is no address; its words follow the text in a message."""


def normalize(cell: str) -> str:
    """The address in its form. Raises `EmailError`."""
    address = cell.strip()
    if _PLAIN(address) and len(address) <= UNITS_MAX:
        return address.lower()
    local, at, domain = address.partition("@")
    if not at or not local or "@" in domain:
        raise EmailError("has not one `@` with a name before it")
    if "." not in domain or domain[0] == "." or domain[-1] == "." or ".." in domain:
        raise EmailError("has no domain after the `@`")
    if any(c in _DELIMITERS or c.isspace() or c < " " or "\x7f" <= c <= "\x9f" for c in address):
        raise EmailError("has a character that an address cannot have")
    address = address.lower()
    if len(address) + sum(c > "\uffff" for c in address) > UNITS_MAX:
        raise EmailError("is longer than 100 characters")
    return address
