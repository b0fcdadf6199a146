"""The job's settings for a rule, taken one by one, each with what it is otherwise.

Promises: a setting of another type is refused by name with what was found; a
setting that nobody asked for is refused with the names that are known.
"""

from typing import Any, Dict, List, Mapping, Optional, TypeVar

from .country import Country
from .failure import Failure, misconfigured

T = TypeVar("T")

_FOUND = {str: "text", bool: "a boolean", int: "a number", float: "a number",
          list: "a list", dict: "a map"}


class Settings:
    """A settings document. Take what the rule knows, then `finish`. A null is like
    a setting that is not there: each method gives `otherwise` then."""

    def __init__(self, document: Any) -> None:
        if not isinstance(document, dict):
            raise _bad(f"expected a map, found {_name(document)}")
        self._left: Dict[str, Any] = dict(document)
        self._known: List[str] = []

    def _take(self, name: str) -> Any:
        self._known.append(name)
        return self._left.pop(name, None)

    def text(self, name: str, otherwise: Optional[str] = None) -> Optional[str]:
        """Text."""
        value = self._take(name)
        return otherwise if value is None else _of(name, "text", value, str)

    def boolean(self, name: str, otherwise: bool = False) -> bool:
        """Yes or no."""
        value = self._take(name)
        return otherwise if value is None else _of(name, "a boolean", value, bool)

    def int32(self, name: str, otherwise: Optional[int] = None) -> Optional[int]:
        """A whole number of 32 bits: choices, states."""
        value = self._take(name)
        return otherwise if value is None else _int32(name, value)

    def word(self, name: str, words: Mapping[str, T], otherwise: T) -> T:
        """One of several words, with what each stands for."""
        value = self.text(name)
        if value is None:
            return otherwise
        if value not in words:
            raise _bad(f"`{name}`: `{value}` is none of {_join(words)}")
        return words[value]

    def country(self, name: str) -> Optional[Country]:
        """A country, by English name or ISO 3166 alpha-2 code."""
        value = self.text(name)
        return None if value is None else _country(name, value)

    def countries(self, name: str) -> Dict[str, Country]:
        """Countries by text."""
        return {key: _country(name, value) for key, value in self.words(name).items()}

    def texts(self, name: str) -> List[str]:
        """A list of texts."""
        value = self._take(name)
        items = [] if value is None else _of(name, "a list of text", value, list)
        return [_of(name, "text in the list", item, str) for item in items]

    def words(self, name: str, otherwise: Optional[Mapping[str, str]] = None) -> Dict[str, str]:
        """Texts by text."""
        entries = self._map(name)
        if entries is None:
            return dict(otherwise or {})
        return {key: _of(name, "text in the map", value, str) for key, value in entries.items()}

    def codes(self, name: str, otherwise: Optional[Mapping[str, int]] = None) -> Dict[str, int]:
        """Codes of the source with the number that stands for each in the target."""
        entries = self._map(name)
        if entries is None:
            return dict(otherwise or {})
        return {key: _int32(name, value) for key, value in entries.items()}

    def _map(self, name: str) -> Optional[Dict[str, Any]]:
        value = self._take(name)
        return None if value is None else _of(name, "a map", value, dict)

    def finish(self) -> None:
        """All settings have been taken: one that nobody asked for is misspelt."""
        for name in self._left:
            known = f"but {_join(self._known)} are" if self._known else "there are none"
            raise _bad(f"`{name}` is not known, {known}")


def _of(name: str, what: str, value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise _bad(f"`{name}`: expected {what}, found {_name(value)}")
    return value


def _int32(name: str, value: Any) -> int:
    if type(value) not in (int, float):
        raise _bad(f"`{name}`: expected a whole number, found {_name(value)}")
    if value != int(value) or not -(2**31) <= value < 2**31:
        raise _bad(f"`{name}`: a number is not whole, or not of 32 bits")
    return int(value)


def _country(name: str, value: str) -> Country:
    country = Country.find(value)
    if country is None:
        raise _bad(f"`{name}`: no country `{value}` is known")
    return country


def _name(value: Any) -> str:
    return "null" if value is None else _FOUND.get(type(value), type(value).__name__)


def _bad(message: str) -> Failure:
    return misconfigured("bad-settings", f"settings: {message}")


def _join(words: Any) -> str:
    return ", ".join(f"`{word}`" for word in words)
