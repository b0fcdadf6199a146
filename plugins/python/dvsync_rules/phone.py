"""Telephone numbers in one form. Pure.

The form is `+61 500 555 0162`: calling code, then the groups of digits as they
were written, a blank between; numbers of North America always in groups of 3, 3
and 4. An extension follows as ` x12`. A number that has the form is not changed.

Where the calling code comes from, in this order: a leading `+`, `00` or `011`;
the American shape `398-555-0132`, whatever the country; the country of the row.
`1 (11) 500 555-0162` is a number abroad with the American exit code cut: its
calling code is that of the row's country.
"""

from typing import Optional, Tuple

from .country import Country

_DIGITS_MAX = 20
_GAPS = frozenset(" -./\t\xa0\u2010\u2011\u2012\u2013")
_EXTENSIONS = ("extension", "extn", "ext", "x", "#")


class PhoneError(ValueError):
    """Why a text has no form; its words follow the text in a message."""


class NoCountry(PhoneError):
    """A number, of which neither it nor the row says the country."""


def _not_a_number() -> PhoneError:
    return PhoneError("is not a telephone number")


def _no_country() -> PhoneError:
    return NoCountry("is a telephone number of an unknown country")


def write(
    cell: str, country: Optional[Country], format: str = "international", otherwise: str = "keep"
) -> Optional[str]:
    """The number in its form or, where it has none, what `otherwise` says:
    `keep` keeps the digits where only the country is unknown, `clear` gives none,
    `reject` raises `PhoneError`, as `keep` does for what is no number."""
    try:
        return normalize(cell, country, format)
    except PhoneError as error:
        if otherwise == "clear":
            return None
        if otherwise == "keep" and isinstance(error, NoCountry):
            return _digits_only(cell)
        raise


def normalize(cell: str, country: Optional[Country], format: str = "international") -> str:
    """The number in its form: `international`, or `e164` without blanks. Raises
    `PhoneError`."""
    digits, starts, bracketed, plus, extension = _read(cell)
    code, start = _place(digits, starts, bracketed, plus, country)
    national = len(digits) - start
    if code == 1:
        fits = national == 10
    elif code is not None:
        fits = 7 <= national + len(str(code)) <= 15
    else:
        fits = 7 <= national <= 15
    if not fits:
        raise _not_a_number()
    blanks = format == "international"
    if code == 1:
        # Groups of 3, 3 and 4, from the first national digit.
        starts = 0b100_1000 << start
    body = _written(digits, start, starts if blanks else 0, extension)
    return f"+{code or ''}{' ' if blanks and code is not None else ''}{body}"


def _digits_only(cell: str) -> str:
    digits, starts, _, _, extension = _read(cell)
    if not 7 <= len(digits) <= 15:
        raise _not_a_number()
    return _written(digits, 0, starts, extension)


def _read(cell: str) -> Tuple[str, int, int, bool, str]:
    """Digits; bit `i`: digit `i` begins a group; the same for groups in
    parentheses; a leading plus; the extension."""
    digits, starts, bracketed, plus, extension = "", 0, 0, False, ""
    gap, bracket = True, False
    for position, c in enumerate(cell):
        if "0" <= c <= "9":
            count = len(digits)
            if count == _DIGITS_MAX:
                raise _not_a_number()
            starts |= gap << count
            bracketed |= (gap and bracket) << count
            digits += c
            gap = False
        elif c in _GAPS:
            gap = True
        elif c == "+" and not digits and not plus:
            plus = True
        elif c == "(":
            gap, bracket = True, True
        elif c == ")":
            last = len(digits) - 1
            # `+44 (0)20`: the zero is not dialled after the calling code.
            if last > 0 and bracketed >> last & 1 and digits[last] == "0":
                digits = digits[:last]
                starts &= ~(1 << last)
                bracketed &= ~(1 << last)
            gap, bracket = True, False
        elif c in "xXeE#" and digits:
            extension = _extension(cell[position:])
            break
        else:
            raise _not_a_number()
    if not digits:
        raise _not_a_number()
    return digits, starts, bracketed, plus, extension


def _extension(rest: str) -> str:
    lower = rest.lower()
    for word in _EXTENSIONS:
        if lower.startswith(word):
            digits = rest[len(word):].strip(" .:")
            if 1 <= len(digits) <= 8 and digits.isascii() and digits.isdigit():
                return digits
            break
    raise _not_a_number()


def _place(
    digits: str, starts: int, bracketed: int, plus: bool, country: Optional[Country]
) -> Tuple[Optional[int], int]:
    """Calling code, and where the national number begins."""
    if plus:
        return _abroad(digits, 0)
    if digits.startswith("00"):
        return _abroad(digits, 2)
    if digits.startswith("011") and starts & 0b1110 == 0b1000:
        return _abroad(digits, 3)
    # `1 (11) ...`: groups begin at 0, 1 and 3, the second in parentheses.
    if digits.startswith("111") and starts & 0b1111 == 0b1011 and bracketed & 0b10:
        if country is None or country.calling_code == 1:
            raise _no_country()
        return _within(digits, country, 3)
    if len(digits) == 10 and starts == 0b100_1001 and digits[0] != "0":
        return 1, 0
    if len(digits) == 11 and starts == 0b1001_0011 and digits[0] == "1":
        return 1, 1
    if country is None:
        raise _no_country()
    if country.calling_code == 1:
        return 1, int(len(digits) == 11 and digits[0] == "1")
    return _within(digits, country, 0)


def _abroad(digits: str, start: int) -> Tuple[Optional[int], int]:
    # No calling code begins with a zero: an exit code came before it again.
    while digits[start:start + 1] == "0":
        start += 1
    found = Country.of_digits(digits[start:])
    if found is None:
        return None, min(start, len(digits))
    country, length = found
    return country.calling_code, start + length


def _within(digits: str, country: Country, start: int) -> Tuple[Optional[int], int]:
    zero = country.trunk_zero and digits[start:start + 1] == "0"
    return country.calling_code, start + zero


def _written(digits: str, start: int, starts: int, extension: str) -> str:
    text = digits[start:]
    if starts:
        text = "".join(
            " " + digit if position and starts >> (start + position) & 1 else digit
            for position, digit in enumerate(text)
        )
    if extension:
        text += ("" if starts == 0 else " ") + "x" + extension
    return text
