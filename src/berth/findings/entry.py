"""One entry of a catalogue: read strictly, and how its words become a finding's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from typing import Any, get_args

from berth.findings.finding import KINDS, Finding, Harm, Severity, Subject, Where
from berth.findings.pattern import TextPattern, read_pattern
from berth.findings.versions import Range, Version, parse_range
from berth.texts.command import Shell, fill_command
from berth.texts.text import Text, fill_sentence, named_in
from berth.texts.visible import shortened, visible

Value = str | int | Text | Sequence[str]
Facts = Mapping[str, Value]

PARTS = ("seen", "why", "cure")
"""What is the matter, the cause, what to do: each may be said otherwise by a variant."""
_NEEDED = ("seen", "cure")
"""Those without which nothing is told; a cause is left out where there is nothing true to add."""
_REQUIRED = {"id", "severity", *_NEEDED}
_OPTIONAL: dict[str, Any] = {
    "severity": "note",
    "harm": "one",
    "title": Text("", ""),
    "patterns": (),
    "ambiguous": (),
    "ask": "",
    **dict.fromkeys((*PARTS, "prove"), ()),
    "versions": Range(),
    "sources": (),
}
"""What holds where neither the entry nor its variant says it."""
SHOWN = 200
"""Characters of a fact that are shown, if nothing else is said: a name may come out of anybody's log."""

_QUOTED = 1000
"""Characters of a line that shows it."""


class CatalogueError(Exception):
    """A file of the catalogue is not as it must be: a mistake of ours."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to say a part: for some versions, and where all facts that it names exist."""

    applies: Range
    text: Text
    commands: tuple[tuple[str, ...], ...] = ()
    """Of each command its alternatives."""

    def fits(self, facts: Facts, version: Version | None) -> bool:
        """Whether it can be said of these facts, and its first command be given."""
        known = facts.keys()
        said = names(self.text.en) | names(self.text.zh) <= known
        begun = not self.commands or any(names(each) <= known for each in self.commands[0])
        return said and begun and self.applies.holds(version)


_SILENT = Variant(Range(), Text("", ""))
"""A part that is left out."""


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """One failure of the catalogue. Of a part that differs by variant only, its own words are empty."""

    id: str
    severity: Severity
    harm: Harm
    title: Text
    patterns: tuple[TextPattern, ...]
    seen: tuple[Variant, ...]
    why: tuple[Variant, ...]
    cure: tuple[Variant, ...]
    prove: tuple[Variant, ...]
    versions: Range
    sources: tuple[str, ...]
    ambiguous: tuple[TextPattern, ...] = ()
    """Patterns of what anything may say, whatever it stands on: told where it is known to be meant, else asked."""
    ask: str = ""
    """The question that is asked then, by its id."""
    is_general: bool = False
    """Its words stand in others' messages, too: of a line that shows another failure it says nothing."""
    settled_by: tuple[TextPattern, ...] = ()
    """How a text tells that it came to a good end for the claim or pod that it names."""
    yields_to: tuple[str, ...] = ()
    """Failures beside which this one says nothing new in a text: it is their echo. `*`: any failure."""
    facts: frozenset[str] | None = None
    """The facts that may be given beside the subjects; None: it declares none, and takes any."""
    variants: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """What it says otherwise where more is known, by name: fields of this class, with their values."""
    is_told_by_text: bool = False
    """It is what a text told, see told_by: a command for which it says too little is left out."""

    def variant(self, named: str | Mapping[str, object] = "") -> CatalogueEntry:
        """The entry as the named variant says it, or those that hold of several, each over those before it; its own
        words where none of several holds. Who finds what has variants always has to say which.

        CatalogueError: none is named, it has no variant of that name, or a part has no words.
        """
        holding = named if isinstance(named, Mapping) else {named: True} if named else {}
        if unknown := holding.keys() - self.variants.keys():
            raise CatalogueError(f"{self.id}: {sorted(unknown)} are none of its variants {list(self.variants)}")
        if self.variants and not holding:
            raise CatalogueError(f"{self.id}: which of its variants {list(self.variants)} is it?")
        said: dict[str, Any] = {}
        for name, holds in holding.items():
            said |= self.variants[name] if holds else {}
        chosen = replace(self, variants={}, **said)
        if silent := [part for part in PARTS if self.says(part) and not getattr(chosen, part)]:
            raise CatalogueError(f"{self.id}: {named} says nothing for {silent}")
        return chosen

    def told_by(self, facts: Facts, version: Version | None) -> CatalogueEntry:
        """The entry as a text that says these facts lets it be told: of each part what the first variant says that
        needs no others, else its own words, which need no more than each of its patterns names.
        """
        said = {
            part: next(
                (each[part] for each in self.variants.values() if part in each and _fits(each[part], facts, version)),
                getattr(self, part),
            )
            for part in PARTS
        }
        return replace(self, variants={}, facts=None, is_told_by_text=True, **said)

    def says(self, part: str) -> bool:
        """Whether it, or a variant, has or needs words for a part: then all of its variants do."""
        return part in _NEEDED or bool(self.every(part))

    def every(self, part: str) -> tuple[Variant, ...]:
        """All that its variants and itself may say for a part, in the order in which they are tried for a text."""
        said = [each.get(part, ()) for each in self.variants.values()]
        return (*chain.from_iterable(said), *getattr(self, part))

    def finding(
        self,
        about: Sequence[Subject],
        facts: Facts,
        *,
        version: Version | None = None,
        evidence: Sequence[str] = (),
        count: int = 1,
        where: Where | None = None,
        shown: int = SHOWN,
    ) -> Finding:
        """The finding about these objects, with the facts put in, each up to `shown` characters.

        CatalogueError: its words don't fit the facts, or a fact is not declared.
        """
        if self.facts is not None and (undeclared := facts.keys() - self.facts - SUBJECT_FACTS):
            raise CatalogueError(f"{self.id}: facts that it does not declare: {sorted(undeclared)}")
        known = {**names_of(about), **facts}
        seen, why, cure = (self._chosen(part, getattr(self, part), known, version) for part in PARTS)
        return Finding(
            id=self.id,
            severity=self.severity,
            harm=self.harm,
            about=tuple(about),
            seen=_filled(seen.text, known, shown),
            why=_filled(why.text, known, shown),
            do=_filled(cure.text, known, shown),
            commands=tuple(self._commands(cure, known)),
            evidence=tuple(shortened(visible(line.replace("\t", " ")), _QUOTED) for line in evidence),
            count=count,
            sources=self.sources,
            where=where,
            facts=known,
            tell=partial(self.finding, version=version, shown=shown),
        )

    def _commands(self, cure: Variant, facts: Facts) -> Iterator[Shell]:
        """Of each command the first alternative whose facts exist. Only a text may say too little for one."""
        for alternatives in cure.commands:
            template = next((each for each in alternatives if names(each) <= facts.keys()), None)
            if template is not None:
                yield fill_command(template, facts)
            elif not self.is_told_by_text:
                raise CatalogueError(f"{self.id}: no facts for {alternatives}, only {sorted(facts)}")

    def _chosen(self, part: str, said: Sequence[Variant], facts: Facts, version: Version | None) -> Variant:
        if not said and part not in _NEEDED:
            return _SILENT
        for variant in said:
            if variant.fits(facts, version):
                return variant
        raise CatalogueError(f"{self.id}: `{part}` does not fit the facts {sorted(facts)} and version {version}")


def read_entry(source: str, content: object) -> CatalogueEntry:
    """The entry that the parsed YAML at `source` holds. CatalogueError names the key that is wrong.

    Under `variants` each name has what is said otherwise than above it.
    """
    if not isinstance(content, dict):
        raise CatalogueError(f"{source}: not a mapping")
    variants = content.get("variants", {})
    told = content.keys() | set().union(*variants.values()) if variants else content.keys()
    unknown, missing = told - _READERS.keys() - {"variants"}, _REQUIRED - told
    if unknown or missing:
        raise CatalogueError(f"{source}: unknown keys {sorted(unknown)}, missing keys {sorted(missing)}")
    own = {key: value for key, value in content.items() if key != "variants"}
    return CatalogueEntry(
        **{**_OPTIONAL, **_read(source, own)},
        variants={name: _read(f"{source}, {name}", said) for name, said in variants.items()},
    )


def _read(source: str, content: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an entry, or of a variant, read from what the YAML says for them."""
    try:
        return {key: _READERS[key](value) for key, value in content.items()}
    except (KeyError, TypeError, ValueError) as error:
        raise CatalogueError(f"{source}: {type(error).__name__}: {error}") from error


def names(template: str) -> set[str]:
    """The facts that a template names."""
    return named_in(template)


def _variants(content: Any) -> tuple[Variant, ...]:
    listed = content if isinstance(content, list) else [content]
    return tuple(_variant(each) for each in listed)


def _variant(content: dict[str, Any]) -> Variant:
    unknown = content.keys() - {"applies", "en", "zh", "commands"}
    if unknown:
        raise ValueError(f"unknown keys {sorted(unknown)}")
    commands = tuple((each,) if isinstance(each, str) else tuple(each) for each in content.get("commands", ()))
    return Variant(parse_range(content.get("applies", "")), _text(content), commands)


def _text(content: dict[str, Any]) -> Text:
    return Text(content["en"].strip(), content["zh"].strip())


_NAMESPACED = ("claim", "pod", "lease", "workload", "role")
SUBJECT_FACTS = frozenset({*KINDS, *(f"{kind}_{part}" for kind in _NAMESPACED for part in ("namespace", "name"))})
"""The facts that subjects give; no entry has to declare them."""


def names_of(about: Sequence[Subject]) -> dict[str, Value]:
    """The facts that subjects give, of several of one kind the first: `claim`, `claim_namespace`, `claim_name`."""
    facts: dict[str, Value] = {}
    for subject in reversed(about):
        facts[subject.kind] = subject.name
        namespace, slash, name = subject.name.partition("/")
        if slash and subject.kind in _NAMESPACED:
            facts[f"{subject.kind}_namespace"], facts[f"{subject.kind}_name"] = namespace, name
    return facts


def _fits(said: Sequence[Variant], facts: Facts, version: Version | None) -> bool:
    return any(each.fits(facts, version) for each in said)


def _filled(text: Text, facts: Facts, shown: int) -> Text:
    return Text(fill_sentence(text.en, facts, "en", shown), fill_sentence(text.zh, facts, "zh", shown))


def _one_of(allowed: Any) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if value not in get_args(allowed):
            raise ValueError(f"{value!r} is none of {get_args(allowed)}")
        return value

    return read


def _patterns(content: Any) -> tuple[TextPattern, ...]:
    return tuple(read_pattern(each) for each in content)


_READERS: dict[str, Callable[[Any], Any]] = {
    "id": str,
    "severity": _one_of(Severity),
    "harm": _one_of(Harm),
    "title": _text,
    **dict.fromkeys((*PARTS, "prove"), _variants),
    "patterns": _patterns,
    "ambiguous": _patterns,
    "ask": str,
    "is_general": bool,
    "settled_by": _patterns,
    "versions": parse_range,
    "sources": tuple,
    "yields_to": tuple,
    "facts": frozenset,
}
"""How each field of an entry is read."""
