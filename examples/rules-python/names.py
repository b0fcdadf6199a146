"""A name to show, from the local part of an e-mail address: the source has none."""

import re
from typing import Optional, Tuple

UNITS_MAX = 50
_SEPARATORS = "._"


def of_email(address: str) -> Optional[Tuple[Optional[str], str]]:
    """First name, where there is one, and last name; none where no letter is left."""
    local, at, _ = address.partition("@")
    if not at:
        return None
    name = local.partition("+")[0].rstrip("0123456789").strip(_SEPARATORS)
    cut = max(name.rfind("."), name.rfind("_"))
    first, last = (name[:cut], name[cut + 1:]) if cut >= 0 else (None, name)
    return (first, last) if any(c.isalpha() for c in last) else None


def capitalized(part: str) -> str:
    """Each word begins in upper case; not longer than its column."""
    if part.isascii() and part.isalnum() and len(part) <= UNITS_MAX:
        return part[0].upper() + part[1:]
    units = 0
    for position, c in enumerate(part):
        units += 1 + (ord(c) > 0xFFFF)
        if units > UNITS_MAX:
            part = part[:position]
            break
    spaced = part.replace(".", " ").replace("_", " ")
    return re.sub(r"(^|[\W_])([^\W_])", lambda found: found[1] + found[2].upper(), spaced)
