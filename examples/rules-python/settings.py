"""What a job may set, and what it is otherwise."""

from dataclasses import dataclass
from typing import Dict, FrozenSet, Iterable, Optional, Sequence

from columns import TARGETS, TELEPHONES
from dvsync_rules import Context, Country, misconfigured


@dataclass(frozen=True)
class Settings:
    """The settings document, read. Every setting is optional."""

    default_country: Optional[Country]
    territory_countries: Dict[str, Country]
    phone_format: str
    bad_phone: str
    phone_types: Dict[str, str]
    clears_bad_email: bool
    names: bool
    skip: FrozenSet[str]
    owner_by_territory: bool
    fallback_owner: Optional[str]

    @staticmethod
    def read(context: Context) -> "Settings":
        given = context.settings()
        settings = Settings(
            default_country=given.country("default_country"),
            territory_countries=given.countries("territory_countries"),
            phone_format=given.word("phone_format", _same("international", "e164"), "international"),
            bad_phone=given.word("bad_phone", _same("keep", "clear", "reject"), "keep"),
            phone_types=given.words(
                "phone_types", {"1": "mobilephone", "2": "telephone2", "3": "telephone1"}
            ),
            clears_bad_email=given.word("bad_email", {"reject": False, "clear": True}, False),
            names=given.boolean("names", True),
            skip=frozenset(given.texts("skip")),
            owner_by_territory=given.boolean("owner_by_territory", True),
            fallback_owner=given.text("fallback_owner"),
        )
        given.finish()
        _known("skip", sorted(settings.skip), TARGETS)
        _known("phone_types", settings.phone_types.values(), TELEPHONES)
        return settings

    def writes(self, target: str) -> bool:
        """The target column is written."""
        return target not in self.skip


def _same(*words: str) -> Dict[str, str]:
    return {word: word for word in words}


def _known(setting: str, names: Iterable[str], known: Sequence[str]) -> None:
    for name in names:
        if name not in known:
            words = "`, `".join(known)
            raise misconfigured(
                "bad-settings",
                f"settings: `{setting}`: the rule does not write `{name}`, but `{words}`",
            )
