"""What a rule author derives from, and the decorators that make methods hooks."""

from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple, TypeVar, Union

from .context import Context
from .fields import Field, Needs

F = TypeVar("F", bound=Callable[..., None])
NeedsOf = Callable[[Any, Context], Needs]

HOOKS = ("transform", "matching", "state", "owner")


class Rule:
    """A rule: who it is, and its settings made ready. Name and version are those of
    the project (`pyproject.toml`) unless the class says others."""

    name: str = ""
    """Lower case, `-` between words: `account`."""
    version: str = ""
    """Of the rule, not of the contract: `1.2.0`."""
    entities: Sequence[str] = ()
    """Logical names of the tables that it is for, or `*`."""
    settings_schema: Optional[str] = None
    """JSON Schema of the settings document, if there are settings."""
    tables: Sequence[str] = ()
    """Tables that the job must grant, by name."""

    hooks: Dict[str, Tuple[str, NeedsOf]] = {}
    """Hook to the method and its needs; made by the decorators."""

    def __init_subclass__(cls) -> None:
        hooks = dict(cls.hooks)
        for name, member in vars(cls).items():
            marked = getattr(member, "_dvsync_hook", None)
            if marked is not None:
                hooks[marked[0]] = (name, marked[1])
        cls.hooks = hooks

    def configure(self, context: Context) -> None:
        """Once per instance, before any row is read. The host makes several
        instances, and replaces them as it likes. Raise `misconfigured` where
        settings are wrong."""
        context.settings().finish()


def _hook(name: str) -> Callable[..., Callable[[F], F]]:
    def decorator(
        needs: Union[Needs, NeedsOf, None] = None,
        *,
        reads: Sequence[Field] = (),
        reads_target: Sequence[Field] = (),
        reads_current: Sequence[Field] = (),
        writes: Sequence[Field] = (),
    ) -> Callable[[F], F]:
        if needs is None:
            needs = Needs(reads, reads_target, reads_current, writes)
        fixed = needs
        asked: NeedsOf = fixed if callable(fixed) else lambda rule, context: fixed

        def mark(method: F) -> F:
            method._dvsync_hook = (name, asked)  # type: ignore[attr-defined]
            return method

        return mark

    return decorator


transform = _hook("transform")
"""Turns source rows into target rows: `method(self, rows, output)`. Takes what it
reads and sets: lists of fields, or a function of (rule, context) that gives
`Needs`."""
matching = _hook("matching")
"""Derives the key of each row: `method(self, side, rows, keys)`."""
state = _hook("state")
"""Decides whether a record is active: `method(self, incoming, current, states)`."""
owner = _hook("owner")
"""Decides who owns a record: `method(self, incoming, current, owners)`."""


def choose(method: F) -> F:
    """Chooses among several records of one key, with what `matching` reads:
    `method(self, incoming, candidates, choices)`. A rule without it rejects the
    row: to guess would change the wrong record."""
    method._dvsync_hook = ("choose", None)  # type: ignore[attr-defined]
    return method


def find(module: Any) -> type:
    """The one rule that a module defines."""
    found: List[type] = [
        member for member in vars(module).values()
        if isinstance(member, type) and issubclass(member, Rule)
        and member.__module__ == module.__name__
    ]
    if len(found) != 1:
        names = ", ".join(f"`{rule.__name__}`" for rule in found) or "none"
        raise LookupError(f"a module has one class below `Rule`, `{module.__name__}` has {names}")
    rule = found[0]
    if not any(hook in rule.hooks for hook in HOOKS):
        raise LookupError(
            f"`{rule.__name__}` has no hook: decorate a method with `@transform`, `@matching`, "
            "`@state` or `@owner`"
        )
    return rule
