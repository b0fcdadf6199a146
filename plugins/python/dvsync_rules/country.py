"""Countries by the names that business data has for them, as far as telephone
numbers need it. Pure.

Calling codes: ITU, *List of ITU-T Recommendation E.164 assigned country codes*.
Deliberately not complete: a number of another country is understood when it is
written with `+` and its calling code.
"""

from dataclasses import dataclass
from typing import Optional, Tuple


@dataclass(frozen=True)
class Country:
    """How numbers of a country are dialled."""

    calling_code: int
    """Without `+`: 61."""
    trunk_zero: bool
    """A 0 before the area code that is not dialled from abroad."""

    @staticmethod
    def find(name: str) -> "Optional[Country]":
        """By English name or ISO 3166 alpha-2 code, in any case."""
        return _BY_NAME.get(name.strip().lower())

    @staticmethod
    def of_digits(digits: str) -> "Optional[Tuple[Country, int]]":
        """The country whose calling code the digits begin with, and the length of
        the code."""
        # Calling codes are prefix-free: the first that fits is the one.
        for length in (1, 2, 3):
            country = _BY_CODE.get(digits[:length])
            if country is not None and len(digits) >= length:
                return country, length
        return None


# Calling code, trunk zero, names.
_COUNTRIES = (
    (1, False, "ca|canada|united states|united states of america|us|usa"),
    (27, True, "south africa|za"),
    (30, False, "gr|greece"),
    (31, True, "netherlands|nl"),
    (32, True, "be|belgium"),
    (33, True, "fr|france"),
    (34, False, "es|spain"),
    (36, False, "hu|hungary"),
    (39, False, "it|italy"),
    (40, True, "ro|romania"),
    (41, True, "ch|switzerland"),
    (43, True, "at|austria"),
    (44, True, "gb|great britain|uk|united kingdom"),
    (45, False, "denmark|dk"),
    (46, True, "se|sweden"),
    (47, False, "no|norway"),
    (48, False, "pl|poland"),
    (49, True, "de|germany"),
    (52, False, "mexico|mx"),
    (54, True, "ar|argentina"),
    (55, True, "br|brazil"),
    (56, False, "chile|cl"),
    (57, False, "co|colombia"),
    (60, True, "malaysia|my"),
    (61, True, "au|australia"),
    (62, True, "id|indonesia"),
    (63, True, "ph|philippines"),
    (64, True, "new zealand|nz"),
    (65, False, "sg|singapore"),
    (66, True, "th|thailand"),
    (81, True, "japan|jp"),
    (82, True, "kr|south korea"),
    (86, True, "china|cn"),
    (90, True, "tr|turkey"),
    (91, True, "in|india"),
    (351, False, "portugal|pt"),
    (352, False, "lu|luxembourg"),
    (353, True, "ie|ireland"),
    (358, True, "fi|finland"),
    (370, False, "lithuania|lt"),
    (371, False, "latvia|lv"),
    (372, False, "ee|estonia"),
    (380, True, "ua|ukraine"),
    (381, True, "rs|serbia"),
    (385, True, "croatia|hr"),
    (386, True, "si|slovenia"),
    (420, False, "cz|czech republic|czechia"),
    (421, True, "sk|slovakia"),
    (852, False, "hk|hong kong"),
    (886, True, "taiwan|tw"),
    (972, True, "il|israel"),
)
_ALL = [(Country(code, zero), names) for code, zero, names in _COUNTRIES]
_BY_NAME = {name: country for country, names in _ALL for name in names.split("|")}
_BY_CODE = {str(country.calling_code): country for country, _ in _ALL}
