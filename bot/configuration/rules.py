"""What a configuration says of single labels, laid out once for looking labels up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.configuration.names import Names
from store.engine.text import name_key
from store.records.issue_fields import attribute_of, field_value_of, is_field, is_label
from store.records.issue_types import is_type

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.configuration.model import LabelSettings, RepositoryConfiguration


class LabelRules:
    """A configuration's rules on labels, under their folded names (`casefold`)."""

    def __init__(self, configuration: RepositoryConfiguration) -> None:
        self._fallback = (configuration.fallback_label or "").casefold()
        self._ignored = Names(configuration.ignore.labels)
        self._blocked = Names(configuration.block)
        self._allowed = Names(configuration.allow)
        self._settings: dict[str, LabelSettings] = {}
        for name, settings in configuration.labels.items():
            self._settings.setdefault(name.casefold(), settings)
        self._types = frozenset(map(name_key, configuration.type_targets))
        self._fields = frozenset(name.casefold() for name in configuration.fields)
        self._values = frozenset(map(name_key, configuration.field_targets))
        self._groups: dict[str, list[frozenset[str]]] = {}
        for group in configuration.exclusive:
            folded = frozenset(map(name_key, group))
            for name in folded:
                self._groups.setdefault(name, []).append(folded)

    def settings_of(self, label: str) -> LabelSettings | None:
        """What the file says of this label alone."""
        return self._settings.get(label.casefold())

    def off_because(self, label: str) -> str | None:
        """What switches a label off whatever its mode, or None where nothing does."""
        if self._fallback and self._fallback == label.casefold():
            return "it is the fallback label"
        if label in self._ignored:
            return "an issue that carries it is ignored"
        if label in self._blocked:
            return "`block` names it"
        if not is_label(label):
            return self._unnamed(label)
        if self._allowed and label not in self._allowed:
            return "`allow` does not name it"
        return None

    def _unnamed(self, target: str) -> str | None:
        if is_type(target):
            return None if name_key(target) in self._types else "`types` does not name it"
        return None if self.is_of_a_field(target) else "`fields` does not name it"

    def is_of_a_field(self, label: str) -> bool:
        """Whether it is a value of a field that the file names."""
        return is_field(label) and field_value_of(label)[0].casefold() in self._fields

    def ignored(self, labels: Iterable[str]) -> str | None:
        """The first of these labels for which an issue is left alone."""
        return next((label for label in labels if label in self._ignored), None)

    def exclusive_with(self, label: str) -> frozenset[str]:
        """Folded names (`name_key`) of the labels that cannot stand beside this one."""
        name = name_key(label)
        attribute = attribute_of(name)
        values = frozenset(
            value for value in self._types | self._values if attribute_of(value) == attribute
        )
        return values.union(*self._groups.get(name, ())) - {name}

    def rivals(self, label: str, among: Iterable[str]) -> frozenset[str]:
        """Which of some folded names (`name_key`) cannot stand beside this label.

        Beside a type, or a field's value, no other can, whether the file names it or not.
        """
        name = name_key(label)
        groups, attribute = self._groups.get(name, ()), attribute_of(name)
        return frozenset(
            other
            for other in among
            if other != name
            and (
                (attribute and attribute_of(other) == attribute)
                or any(other in group for group in groups)
            )
        )
