"""Text as a CRM wants it. Pure."""

import re
from typing import Any, Optional

# Unicode's White_Space: `str.split` takes four control characters besides.
_BLANKS = re.compile("[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+")
_YES = frozenset(("1", "true", "yes", "y", "t"))
_NO = frozenset(("0", "false", "no", "n", "f"))


def tidy(cell: Optional[str]) -> Optional[str]:
    """The text without blanks around it and with single ones inside; none where
    nothing is left. Tabs, line ends and no-break spaces are blanks."""
    if not cell:
        return None
    if cell.isprintable():
        return " ".join(cell.split()) or None
    return _BLANKS.sub(" ", cell).strip(" ") or None


def fold_key(cell: Optional[str]) -> str:
    """A key: without any blanks, in upper case, so that ` aw00 0585` and
    `AW000585` are the same thing. Empty for none."""
    if not cell:
        return ""
    if cell.isprintable():
        return "".join(cell.split()).upper()
    return _BLANKS.sub("", cell).upper()


def flag(cell: Any) -> Optional[bool]:
    """Yes or no, of a boolean, 0, 1 or a word (`yes`, `true`, `y`, `t`, `1` and
    their opposites, in any case); none of a null or a blank.

    Raises `ValueError` with what is neither.
    """
    if cell is None or cell is True or cell is False:
        return cell
    word = str(cell).strip().lower()
    if word in _YES:
        return True
    if word in _NO:
        return False
    if not word:
        return None
    raise ValueError(f"`{cell}` is neither yes nor no")
