"""What a repository wants of the bot: the keys of `.github/issue-tagger.yml` and their meaning."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, Strict

from bot.configuration.advice import AdviceSettings
from bot.configuration.names import Names
from bot.configuration.patterns import TitlePatterns
from bot.configuration.rules import LabelRules
from bot.configuration.schedule import Schedule
from bot.configuration.section import Section
from bot.configuration.values import (
    STORED,
    Commands,
    Count,
    Cron,
    FieldMode,
    FieldName,
    LabelName,
    Mode,
    NameText,
    Owner,
    Precision,
    ReportTo,
    Share,
    Target,
    Targets,
    Text,
    TitleText,
    TypeName,
)
from store.records.issue_fields import field_target, field_value_of, is_field
from store.records.issue_types import is_type, issue_type_of, type_target

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from tagger.domain.issue import Label


class LabelSettings(Section):
    """What differs for one label."""

    mode: Mode | None = None
    """How far the bot goes with this label, instead of the top-level `mode`."""
    precision: Precision | None = None
    """Target precision of this label, instead of the top-level `precision`."""
    name: Text | None = None
    """Wording for zero-shot: what the label means in plain words. GitHub's name stays."""
    description: Text | None = None
    """Sentence that says which issues the label is for, instead of GitHub's description."""
    aliases: tuple[Text, ...] = Field(default=(), max_length=20)
    """Further wordings of the same meaning."""


def _labels_of_type(value: Any) -> Any:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else value


_LabelsOfType = Annotated[tuple[LabelName, ...], Field(max_length=20)]
_LabelsOfTypeText = LabelName | _LabelsOfType | None
_LabelsOfValue = Annotated[
    _LabelsOfType, BeforeValidator(_labels_of_type, json_schema_input_type=_LabelsOfTypeText)
]


class FieldSettings(Section):
    """What the bot does about one single-select field."""

    mode: FieldMode = Mode.SUGGEST
    """`suggest`: values are suggested as far as the top-level `mode` goes; none is ever set."""
    values: Annotated[dict[TypeName, _LabelsOfValue], Field(max_length=100)] = Field(
        default_factory=dict
    )
    """Values, each with the labels that mean the same; without one those are found by name. Values
    that issues have, or labels such as `priority: high`, need not be named."""


class IgnoreSettings(Section):
    """Issues that the bot leaves alone."""

    authors: tuple[NameText, ...] = Field(default=(), max_length=100)
    """Logins of the issue's author; `*` stands for any text, as in `*[bot]`."""
    titles: tuple[TitleText, ...] = Field(default=(), max_length=20)
    """Regular expressions (RE2's), searched in the title."""
    labels: tuple[NameText, ...] = Field(default=(), max_length=100)
    """An issue that carries one of these is left alone; the bot never sets them either."""
    older_than_days: Annotated[Count, Field(ge=1, le=36500)] | None = None
    """Issues opened more than so many days ago are left alone."""


class ReportSettings(Section):
    """The regular report on what the bot did and how good it was."""

    schedule: Cron = "0 6 * * 1"
    """Minute, hour, day of month, month, day of week, in UTC, as in crontab."""
    to: ReportTo = ReportTo.NONE
    """`issue`: one issue, edited in place. `files`: the data folder. `none`: no report."""

    def is_due(self, last: datetime, now: datetime) -> bool:
        """Whether a due minute lies in (last, now]; both aware."""
        return self.to is not ReportTo.NONE and Schedule.of(self.schedule).next_after(last) <= now


class LearningSettings(Section):
    """How the bot asks, and what it takes for an answer."""

    weekly_suggestions: Annotated[Count, Field(ge=0, le=1000)] = 10
    """Suggestions a week that are made because their answer teaches most, in labels on `suggest`
    or `apply`."""
    audit_share: Share = 0.02
    """Share of issues, drawn at random, whose labels people are asked to check: they give live
    precision and miss rate without bias."""
    confirm_after_days: Annotated[Count, Field(ge=1, le=365)] | None = None
    """A label of the bot that people kept so long counts as confirmed; without a value only what
    a person did counts."""


def _report(value: Any) -> Any:
    return {"to": "none"} if value == "none" else value


def _settings_of_label(value: Any) -> Any:
    return {} if value is None else value


_FieldsText = dict[FieldName, FieldSettings | FieldMode | None] | list[FieldName]


def _settings_of_fields(value: Any) -> Any:
    if isinstance(value, list):
        return dict.fromkeys(value) if all(isinstance(name, str) for name in value) else value
    return value


def _settings_of_field(value: Any) -> Any:
    return {} if value is None else {"mode": value} if isinstance(value, str) else value


class RepositoryConfiguration(Section):
    """The whole file. Label names are compared as GitHub compares them: in any case."""

    version: Literal[1] = 1
    """Version of this format."""
    mode: Mode = Mode.SHADOW
    """`off`: not predicted. `shadow`: predicted and recorded, nothing written. `suggest`:
    suggested to people. `apply`: set where the target precision is met, else suggested."""
    targets: Targets = (Target.ISSUES,)
    """What is labelled, each kind by its own release and thresholds."""
    precision: Precision = 0.9
    """A label is set only where its precision is at least this, with 90 % confidence."""
    max_labels: Annotated[Count, Field(ge=1, le=100)] = 5
    """The bot sets and suggests at most so many labels on one issue."""
    fallback_label: LabelName | None = None
    """Set quietly when the bot is sure of no label; removed once any label arrives."""
    clear_fallback_label: Annotated[bool, Strict()] = False
    """Whether `fallback_label` goes also where a person or a template had set it, once the bot sets
    the issue's first labels. Who puts it back keeps it."""
    create_labels: Annotated[bool, Strict()] = False
    """Whether the bot may create `fallback_label` where it does not exist."""
    delay_seconds: Annotated[Count, Field(ge=0, le=86400)] = 120
    """Time between an event and the bot's action, during which a person's action wins."""
    labels: Annotated[
        dict[
            LabelName,
            Annotated[
                LabelSettings,
                BeforeValidator(_settings_of_label, json_schema_input_type=LabelSettings | None),
            ],
        ],
        Field(max_length=1000),
    ] = Field(default_factory=dict)
    """What differs for single labels, under the label's name on GitHub."""
    allow: tuple[NameText, ...] = Field(default=(), max_length=1000)
    """Where given, every other label is off; `*` stands for any text, as in `area/*`."""
    block: tuple[NameText, ...] = Field(default=(), max_length=1000)
    """These labels are off; `*` stands for any text. Wins over `allow`."""
    exclusive: tuple[
        Annotated[tuple[LabelName, ...], Field(min_length=2, max_length=1000)], ...
    ] = Field(default=(), max_length=100)
    """Groups of which an issue gets one label at most; a person's choice stands."""
    types: Annotated[
        dict[
            TypeName,
            Annotated[
                _LabelsOfType,
                BeforeValidator(_labels_of_type, json_schema_input_type=_LabelsOfTypeText),
            ],
        ],
        Field(max_length=100),
    ] = Field(default_factory=dict)
    """Issue types that the bot predicts, each with the labels that mean the same; without a value
    those are found from names and from issues that have both. A type that is not named here is
    never touched; one that an issue has is never changed."""
    fields: Annotated[
        dict[
            FieldName,
            Annotated[
                FieldSettings,
                BeforeValidator(
                    _settings_of_field, json_schema_input_type=FieldSettings | FieldMode | None
                ),
            ],
        ],
        Field(max_length=25),
        BeforeValidator(_settings_of_fields, json_schema_input_type=_FieldsText),
    ] = Field(default_factory=dict)
    """Single-select fields, such as Priority, of which the bot suggests values, as a mapping or a
    list of names. A field that is not named here is left alone; no field is ever set."""
    ignore: IgnoreSettings = IgnoreSettings()
    """Issues that the bot leaves alone."""
    suggestion_comments: Annotated[bool, Strict()] = True
    """Where GitHub's own suggestions are not available: one comment, edited in place. `false`:
    then suggestions are only recorded."""
    commands: Commands = Commands.TRIAGE
    """Whom `/tagger why|retry|off|retrain|report` is answered: from this role on."""
    report: Annotated[
        ReportSettings,
        BeforeValidator(_report, json_schema_input_type=ReportSettings | Literal["none"]),
    ] = ReportSettings()
    """The regular report; `none` for no report."""
    learning: LearningSettings = LearningSettings()
    """How the bot asks, and what it takes for an answer."""
    routes: Annotated[
        dict[LabelName, Annotated[tuple[Owner, ...], Field(max_length=10)]],
        Field(max_length=1000),
    ] = Field(default_factory=dict)
    """Whom issues of a label are for: people (`@login`) or teams (`@organisation/team`), named to
    maintainers beside the label."""
    advice: AdviceSettings = AdviceSettings()
    """What maintainers are told of an issue beside its labels."""

    @classmethod
    def absent(cls) -> Self:
        """What holds in a repository without a file: predict and record, write nothing."""
        return cls(commands=Commands.OFF)

    @classmethod
    def stored(cls, rules: str) -> Self:
        """What `as_stored` gave; patterns and names are taken as they are.

        :raises ValueError: rules that this version does not know.
        """
        return cls.model_validate_json(rules, context={STORED: True})

    def as_stored(self) -> str:
        """The rules as they are kept while they are in force, so that no file is read again."""
        return self.model_dump_json(exclude_unset=True)

    def renamed(self, renames: Mapping[str, str]) -> Self:
        """The same rules for labels that have another name by now than in the file.

        :param renames: former name in lower case (`casefold`) → present name. What the file
            itself says under the present name wins.
        """
        if not renames:
            return self

        def present(name: str) -> str:
            return renames.get(name.casefold(), name)

        def all_present(names: Iterable[str]) -> tuple[str, ...]:
            return tuple(dict.fromkeys(map(present, names)))

        named = {name.casefold() for name in self.labels}
        moved = {
            present(name): settings
            for name, settings in self.labels.items()
            if present(name) == name or present(name).casefold() not in named
        }
        changed = {
            "labels": moved,
            "fallback_label": self.fallback_label and present(self.fallback_label),
            "allow": all_present(self.allow),
            "block": all_present(self.block),
            "exclusive": tuple(map(all_present, self.exclusive)),
            "types": {name: all_present(labels) for name, labels in self.types.items()},
            "fields": {
                name: field.model_copy(
                    update={
                        "values": {
                            value: all_present(labels) for value, labels in field.values.items()
                        }
                    }
                )
                for name, field in self.fields.items()
            },
            "routes": {present(name): owners for name, owners in self.routes.items()},
            "ignore": self.ignore.model_copy(update={"labels": all_present(self.ignore.labels)}),
        }
        # not `model_copy`: it would copy what was worked out under the former names
        return self.model_construct(self.model_fields_set, **{**dict(self), **changed})

    def covers(self, target: str) -> bool:
        """Whether this kind ("issues", "pull_requests", "discussions") is labelled at all."""
        return target in self.targets

    def mode_for(self, label: str) -> Mode:
        """How far the bot may go with this label."""
        if self.off_because(label):
            return Mode.OFF
        mode = self._settings_of(label).mode or self.mode
        return Mode.SUGGEST if mode is Mode.APPLY and is_field(label) else mode

    def off_because(self, label: str) -> str | None:
        """What switches a label off whatever its mode, or None where nothing does."""
        return self.label_rules.off_because(label)

    def precision_for(self, label: str) -> float:
        """Target precision, in [0.5, 0.999], that must be shown before the label is set."""
        return self._settings_of(label).precision or self.precision

    def wording_for(self, label: str, description: str = "") -> Label:
        """The label as strategies read it: GitHub's name, with the wordings given here as aliases.

        A type's own name is one of them, and so is what a field's value says: "Priority: High".

        :param description: GitHub's own, which a description given here replaces.
        """
        from tagger.domain.issue import Label

        settings = self._settings_of(label)
        verbalizers = (settings.name, *settings.aliases) if settings.name else settings.aliases
        if is_type(label):
            verbalizers = (*verbalizers, issue_type_of(label))
        elif is_field(label):
            verbalizers = (*verbalizers, ": ".join(field_value_of(label)))
        return Label(label, settings.description or description, verbalizers)

    @property
    def type_targets(self) -> tuple[str, ...]:
        """The targets of the types that the file names (`store.records.issue_types`)."""
        return tuple(map(type_target, self.types))

    @property
    def field_targets(self) -> tuple[str, ...]:
        """The targets of the values that the file names (`store.records.issue_fields`)."""
        return tuple(
            field_target(name, value)
            for name, field in self.fields.items()
            for value in field.values
        )

    def owners_of(self, label: str) -> tuple[str, ...]:
        """Whom issues of this label are for, each with its @; empty: nobody in particular."""
        return self._owners.get(label.casefold(), ())

    @cached_property
    def _owners(self) -> dict[str, tuple[str, ...]]:
        return {name.casefold(): owners for name, owners in self.routes.items()}

    def exclusive_with(self, label: str) -> frozenset[str]:
        """Folded names (`name_key`) of the labels that cannot stand beside this one."""
        return self.label_rules.exclusive_with(label)

    def rivals(self, label: str, among: Iterable[str]) -> frozenset[str]:
        """Which of some folded names (`name_key`) cannot stand beside this label."""
        return self.label_rules.rivals(label, among)

    def ignores(
        self,
        *,
        author: str,
        title: str,
        labels: Iterable[str],
        created_at: datetime,
        now: datetime,
    ) -> str | None:
        """Why this issue is left alone, or None where it is not; times are aware."""
        if author in self.ignored_authors:
            return f"its author {author} is ignored"
        if label := self.label_rules.ignored(labels):
            return f"it carries {label}"
        days = self.ignore.older_than_days
        if days is not None and (now - created_at).days >= days:
            return f"it is older than {days} days"
        return self.ignored_titles.why(title)

    @cached_property
    def label_rules(self) -> LabelRules:
        """The rules on labels, to be looked up."""
        return LabelRules(self)

    @cached_property
    def ignored_authors(self) -> Names:
        """`ignore.authors`, to be matched."""
        return Names(self.ignore.authors)

    @cached_property
    def ignored_titles(self) -> TitlePatterns:
        """`ignore.titles`, to be searched."""
        return TitlePatterns(self.ignore.titles)

    def _settings_of(self, label: str) -> LabelSettings:
        return self.label_rules.settings_of(label) or LabelSettings()
