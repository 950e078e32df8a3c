"""Path patterns: a class's template for where a claim's directory goes.

Two spellings of one thing: `pathPattern` as nfs-subdir-external-provisioner writes it, `subDir` as csi-driver-nfs does.
A placeholder that is not known, and a label or annotation that the claim lacks, are refused by name: the reference
quietly leaves them out, and the shorter path then contains other volumes.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from berth.texts.bounded import quoted
from berth.volumes.errors import ParameterField, Refused
from berth.volumes.request import Claim
from berth.volumes.reserved import new_volume_path

PieceSource = Literal["literal", "namespace", "name", "pv", "label", "annotation"]

PATH_PATTERN = ParameterField("pathPattern")
SUB_DIR = ParameterField("subDir")

_PATH_PATTERN: dict[str, PieceSource] = {".PVC.name": "name", ".PVC.namespace": "namespace", ".PV.name": "pv"}
_SUB_DIR: dict[str, PieceSource] = {
    "pvc.metadata.name": "name",
    "pvc.metadata.namespace": "namespace",
    "pv.metadata.name": "pv",
}
_OTHERWISE = re.compile(r"(?:\$\s*\(|%\(|\$\s+\{|\{\{?|\$)\s*([.\w]+)\s*[)}]{0,2}")
"""How other programs mark a placeholder: `$(x)`, `{{ x }}`, `{x}`, `$x`, `%(x)`."""
_LABELS = ".PVC.labels."
_ANNOTATIONS = ".PVC.annotations."


@dataclass(frozen=True, slots=True)
class Piece:
    """One stretch of a pattern: text as it is, or a value of the claim (key: the label's or annotation's name)."""

    source: PieceSource
    text: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class PathPattern:
    """A parsed template. text is what the class says, parameter is where it says it."""

    parameter: str
    text: str
    pieces: tuple[Piece, ...]

    def path(self, claim: Claim, pv: str, labels: Mapping[str, str], annotations: Mapping[str, str]) -> str:
        """The volume's path for this claim; Refused when a value is missing or the outcome is no path for a volume."""
        filled = "".join(self._value(piece, claim, pv, labels, annotations) for piece in self.pieces)
        try:
            return new_volume_path(_joined(filled), field=self.parameter)
        except Refused as refusal:
            # The pattern itself was found good, so a value of this claim is at fault, or the length of all together.
            keys = [f", {piece.source} {quoted(piece.key)}" for piece in self.pieces if piece.key]
            raise Refused(
                self.parameter, f"{refusal.why} (made from {quoted(self.text)} and claim {claim}{''.join(keys)})"
            ) from refusal

    def proves(self, path: str, claim: Claim, pv: str) -> bool:
        """Whether path can be of no other claim than this one, because the pattern leads there from nothing but the
        claim's namespace and name, or its PV's name.

        A label or annotation could have been anything by now, and a fixed path is everybody's: they prove nothing.
        """
        sources = {piece.source for piece in self.pieces}
        if sources & {"label", "annotation"} or not ("pv" in sources or {"namespace", "name"} <= sources):
            return False
        return path == _joined("".join(self._value(piece, claim, pv, {}, {}) for piece in self.pieces))

    @property
    def is_own(self) -> bool:
        """Whether the spelling of a path tells whose it is, so that no two claims can have one: the PV's name is in its
        first part, or namespace and name are each a part of their own (`a-b`/`c` and `a`/`b-c` would be one `a-b-c`).
        """
        if self.is_unique:
            return True
        if any(piece.source in ("label", "annotation") for piece in self.pieces):
            return False
        marked = {"namespace": "\0", "name": "\1"}
        parts = "".join(marked.get(piece.source, piece.text or "v") for piece in self.pieces).split("/")
        return "\0" in parts and "\1" in parts

    @property
    def unique_placeholder(self) -> str:
        """What makes a pattern unique, in the spelling of this one."""
        names = _SUB_DIR if self.parameter == SUB_DIR else _PATH_PATTERN
        return next(f"${{{name}}}" for name, source in names.items() if source == "pv")

    @property
    def is_unique(self) -> bool:
        """Whether no other PV's path can equal, contain or lie in one of this pattern: its first part names the PV."""
        for piece in self.pieces:
            if piece.source == "pv":
                return True
            if piece.source in ("label", "annotation") or "/" in piece.text:
                return False
        return False

    def _value(
        self, piece: Piece, claim: Claim, pv: str, labels: Mapping[str, str], annotations: Mapping[str, str]
    ) -> str:
        if piece.source == "literal":
            return piece.text
        if piece.source == "namespace":
            return claim.namespace
        if piece.source == "name":
            return claim.name
        if piece.source == "pv":
            return pv
        value = (labels if piece.source == "label" else annotations).get(piece.key, "")
        if not value:
            raise Refused(
                self.parameter,
                f"{quoted(self.text)} needs the {piece.source} {quoted(piece.key)}, which claim {claim} does not have; "
                f"set it on the claim, or leave it out of the pattern",
            )
        if not any(map(_names_something, value.split("/"))):  # a shorter path contains other volumes
            raise Refused(
                self.parameter,
                f"{quoted(self.text)} needs the {piece.source} {quoted(piece.key)}, which says {quoted(value)} on "
                f"claim {claim}: that names no directory; write one",
            )
        return value


def parse_path_pattern(text: str) -> PathPattern:
    """A `pathPattern` (`${.PVC.name}` and so on), cleaned as the reference cleans it. Refused, naming the parameter."""
    return _parse(PATH_PATTERN, text, _PATH_PATTERN, with_metadata=True)


def parse_sub_dir(text: str) -> PathPattern:
    """A `subDir` (`${pvc.metadata.name}` and so on), cleaned alike. Refused, naming the parameter."""
    return _parse(SUB_DIR, text, _SUB_DIR, with_metadata=False)


def _parse(parameter: str, text: str, names: Mapping[str, PieceSource], *, with_metadata: bool) -> PathPattern:
    pieces: list[Piece] = []
    rest = text
    while rest:
        before, opening, after = rest.partition("${")
        if before:
            pieces.append(Piece("literal", text=before))
        if not opening:
            break
        name, closing, rest = after.partition("}")
        if not closing:
            raise Refused(parameter, f"{quoted(text)} opens a placeholder with `${{` and never closes it with `}}`")
        pieces.append(_placeholder(parameter, name, names, with_metadata=with_metadata))
    pieces = _cleaned(pieces)
    _refuse_other_marks(parameter, text, pieces, names)
    _check_literals(parameter, text, pieces)
    return PathPattern(parameter=parameter, text=text, pieces=tuple(pieces))


def _cleaned(pieces: list[Piece]) -> list[Piece]:
    """Without `/` at both ends, `//` and the part `.`, which lead nowhere: the references join and clean paths (Go's
    filepath.Join). `..` stays, to be refused.
    """
    parts: list[list[Piece]] = [[]]
    for piece in pieces:
        first, *others = piece.text.split("/") if piece.source == "literal" else ("",)
        parts[-1].append(Piece("literal", text=first) if piece.source == "literal" else piece)
        parts.extend([Piece("literal", text=each)] for each in others)
    kept = [
        part for part in parts if any(each.source != "literal" for each in part) or _names_something(_written(part))
    ]
    found: list[Piece] = []
    for part in kept:
        for each in ([Piece("literal", text="/")] if found else []) + part:
            if each.source == "literal" and found and found[-1].source == "literal":
                found[-1] = Piece("literal", text=found[-1].text + each.text)
            elif each.source != "literal" or each.text:
                found.append(each)
    return found


def _joined(path: str) -> str:
    """A filled path without what leads nowhere."""
    return "/".join(filter(_names_something, path.split("/")))


def _names_something(part: str) -> bool:
    """Whether a part of a path leads anywhere."""
    return part not in ("", ".")


def _written(pieces: Iterable[Piece], value: str = "v") -> str:
    """The pieces as a path, with an ordinary character in the place of each value."""
    return "".join(piece.text if piece.source == "literal" else value for piece in pieces)


def _placeholder(parameter: str, name: str, names: Mapping[str, PieceSource], *, with_metadata: bool) -> Piece:
    if name in names:
        return Piece(names[name])
    if with_metadata:
        for prefix, source in ((_LABELS, "label"), (_ANNOTATIONS, "annotation")):
            if name.startswith(prefix) and len(name) > len(prefix):
                return Piece("label" if source == "label" else "annotation", key=name.removeprefix(prefix))
    known = [*names, *((f"{_LABELS}KEY", f"{_ANNOTATIONS}KEY") if with_metadata else ())]
    near = _nearest(name, known)
    if parameter == PATH_PATTERN and name in _SUB_DIR:
        advice = "that is the spelling of the parameter subDir; use it instead"
    elif parameter == SUB_DIR and (name in _PATH_PATTERN or name.startswith((_LABELS, _ANNOTATIONS))):
        advice = "that is the spelling of the parameter pathPattern; use it instead"
    elif near:
        advice = f"did you mean ${{{near}}}?"
    else:
        advice = "known are " + ", ".join(f"${{{one}}}" for one in known)
    raise Refused(parameter, f"placeholder ${{{name}}} is not known; {advice}")


def _nearest(name: str, known: Iterable[str]) -> str:
    """The placeholder that is meant, if one is."""
    plain = {_plain(each): each for each in reversed([*known])}
    near = difflib.get_close_matches(_plain(name), plain, n=1, cutoff=0.7)
    return plain[near[0]] if near else ""


def _plain(name: str) -> str:
    """A placeholder's name without what people write otherwise: `${ PVC.metadata.Name }`, `${PVC_NAME}`."""
    return name.strip().lower().replace("_", ".").replace(".metadata.", ".").lstrip(".")


def _refuse_other_marks(parameter: str, text: str, pieces: Iterable[Piece], names: Iterable[str]) -> None:
    """A placeholder that is marked as other programs do would be one directory of that name for all claims."""
    plain = {_plain(each): each for each in names}
    for piece in pieces:
        for match in _OTHERWISE.finditer(piece.text):
            if meant := plain.get(_plain(match[1])):
                why = f"{quoted(text)}: {quoted(match[0].strip())} is no placeholder; write ${{{meant}}}"
                raise Refused(parameter, why)


def _check_literals(parameter: str, text: str, pieces: list[Piece]) -> None:
    """Refuses at once what no claim could make good: an absolute pattern, `..`, Berth's own names."""
    # What is wrong with one ordinary character for each value is wrong in the pattern itself.
    written = _written(pieces)
    if not written:
        raise Refused(parameter, f"{quoted(text)} is the root of the share itself; name a directory below it")
    try:
        new_volume_path(written, field=parameter)
    except Refused as refusal:
        raise Refused(parameter, _as_written(refusal.why, written, text)) from None


def _as_written(why: str, path: str, text: str) -> str:
    """A reason with the pattern in the place of the path that stood for it."""
    for shown in (quoted(path), repr(path), ascii(path)):
        if shown in why:
            return why.replace(shown, quoted(text), 1)
    return f"{quoted(text)}: {why}"


DEFAULT_PATTERN = parse_path_pattern("${.PVC.namespace}-${.PVC.name}-${.PV.name}")
"""Where a claim's directory goes unless its class says otherwise: as the reference lays them out."""
