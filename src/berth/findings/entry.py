"""One entry of a catalogue: read strictly, and how its words become a finding's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast, get_args

from berth.findings.finding import Finding, Harm, Severity, Subject, Where
from berth.findings.pattern import Pattern, read_pattern
from berth.findings.versions import Range, Version, parse_range
from berth.texts.command import Shell, fill_command
from berth.texts.text import Text, fill_sentence, named_in
from berth.texts.visible import shortened, visible

Value = str | int | Text | Sequence[str]
Facts = Mapping[str, Value]

_REQUIRED = {"id", "severity", "seen", "why", "cure"}
_KEYS = _REQUIRED | {"harm", "title", "sources", "facts", "patterns", "prove", "versions", "yields_to", "settled_by"}
SHOWN = 200
"""Characters of a fact that are shown, if nothing else is said: a name may come out of anybody's log."""

_QUOTED = 1000
"""Characters of a line that shows it."""


class CatalogueError(Exception):
    """A file of the catalogue is not as it must be: a mistake of ours."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to say it: for some versions, and where all facts that it names exist."""

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


@dataclass(frozen=True, slots=True)
class Entry:
    """One failure of the catalogue."""

    id: str
    severity: Severity
    harm: Harm
    title: Text
    patterns: tuple[Pattern, ...]
    seen: tuple[Variant, ...]
    why: tuple[Variant, ...]
    cure: tuple[Variant, ...]
    prove: tuple[Variant, ...]
    versions: Range
    sources: tuple[str, ...]
    settled_by: tuple[Pattern, ...] = ()
    """How a text tells that it came to a good end for the claim or pod that it names."""
    yields_to: tuple[str, ...] = ()
    """Failures beside which this one says nothing new in a text: it is their echo. `*`: any failure."""
    facts: frozenset[str] | None = None
    """The facts that may be given; None: it declares none, and takes any."""
    named: Mapping[str, Entry] = field(default_factory=dict)
    """Its variants, whole, where whoever finds it has to name one. Its own words are the first one's then."""

    def variant(self, name: str) -> Entry:
        """The variant of that name; an entry without variants has itself, without a name. CatalogueError: none."""
        found = self.named.get(name) if self.named or name else self
        if found is None:
            raise CatalogueError(f"{self.id}: {name!r} is none of its variants {list(self.named)}")
        return found

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

        CatalogueError: no text fits them, or a fact is not declared.
        """
        if self.facts is not None and (undeclared := facts.keys() - self.facts):
            raise CatalogueError(f"{self.id}: facts that it does not declare: {sorted(undeclared)}")
        known = {**_subjects(about), **facts}
        cure = self._chosen("cure", self.cure, known, version)
        return Finding(
            id=self.id,
            severity=self.severity,
            harm=self.harm,
            about=tuple(about),
            seen=_filled(self._chosen("seen", self.seen, known, version).text, known, shown),
            why=_filled(self._chosen("why", self.why, known, version).text, known, shown),
            do=_filled(cure.text, known, shown),
            commands=tuple(_commands(cure, known)),
            evidence=tuple(shortened(visible(line.replace("\t", " ")), _QUOTED) for line in evidence),
            count=count,
            sources=self.sources,
            where=where,
            facts=known,
        )

    def _chosen(self, part: str, variants: Sequence[Variant], facts: Facts, version: Version | None) -> Variant:
        for variant in variants:
            if variant.fits(facts, version):
                return variant
        raise CatalogueError(f"{self.id}: no variant of `{part}` fits the facts {sorted(facts)} and version {version}")


def read_entry(source: str, content: object) -> Entry:
    """The entry that the parsed YAML at `source` holds. CatalogueError names the key that is wrong.

    Under `variants` each name has what is said otherwise than above it.
    """
    if not isinstance(content, dict):
        raise CatalogueError(f"{source}: not a mapping")
    if "variants" in content:
        shared = {key: value for key, value in content.items() if key != "variants"}
        named = {name: read_entry(f"{source}, {name}", shared | said) for name, said in content["variants"].items()}
        return replace(next(iter(named.values())), named=named)
    unknown, missing = content.keys() - _KEYS, _REQUIRED - content.keys()
    if unknown or missing:
        raise CatalogueError(f"{source}: unknown keys {sorted(unknown)}, missing keys {sorted(missing)}")
    severity, harm = content["severity"], content.get("harm", "one")
    if severity not in get_args(Severity) or harm not in get_args(Harm):
        raise CatalogueError(f"{source}: severity {severity!r}, harm {harm!r}")
    try:
        return Entry(
            id=str(content["id"]),
            severity=cast(Severity, severity),
            harm=cast(Harm, harm),
            title=_text(content.get("title", {"en": "", "zh": ""})),
            patterns=tuple(read_pattern(pattern) for pattern in content.get("patterns", ())),
            seen=_variants(content["seen"]),
            why=_variants(content["why"]),
            cure=_variants(content["cure"]),
            prove=_variants(content.get("prove", [])),
            versions=parse_range(content.get("versions", "")),
            sources=tuple(content.get("sources", ())),
            settled_by=tuple(read_pattern(pattern) for pattern in content.get("settled_by", ())),
            yields_to=tuple(content.get("yields_to", ())),
            facts=frozenset(content["facts"]) if "facts" in content else None,
        )
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


def _subjects(about: Sequence[Subject]) -> dict[str, Value]:
    facts: dict[str, Value] = {}
    for subject in reversed(about):
        facts[subject.kind] = subject.name
        namespace, slash, name = subject.name.partition("/")
        if slash and subject.kind in ("claim", "pod", "lease", "workload", "role"):
            facts[f"{subject.kind}_namespace"], facts[f"{subject.kind}_name"] = namespace, name
    return facts


def _filled(text: Text, facts: Facts, shown: int) -> Text:
    return Text(fill_sentence(text.en, facts, "en", shown), fill_sentence(text.zh, facts, "zh", shown))


def _commands(variant: Variant, facts: Facts) -> Iterator[Shell]:
    for alternatives in variant.commands:
        template = next((each for each in alternatives if names(each) <= facts.keys()), None)
        if template is not None:
            yield fill_command(template, facts)
