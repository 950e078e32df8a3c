"""Stand-ins for names, and for whatever may be one in a text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from berth.doctor.redaction.places import UID, Places
from berth.doctor.redaction.words import NAMESPACES, PROVISIONERS, foreign_sentences, known_words

_NUMBER = re.compile(
    r"[-+]?v?\d+(?:[.,:]\d+)*(?:[KMGTPE]i?B?|ms|us|s|m|h|d|k|x)?|(?:\d+d)?(?:\d+h)?(?:\d+m)?(?:[\d.]+s)?"
    r"|0x[0-9a-f]+|NFS[34]?ERR_[A-Z_]+|\d{4}-\d\d-\d\d(?:T[\d:.]+Z?)?|v\d+(?:alpha|beta)?\d*|[IWE]\d{4}"
    r"|v?\d+\.\d+(?:\.\d+)?(?:[-+.](?:\d+|amd64|arm64|x86_64|aarch64|generic|cloud|rc|k3s\d?|rke2|el\d+(?:_\d+)?))*"
)
"""Numbers, sizes, durations, moments, versions, the protocol's errors."""
_OURS = re.compile(r"(?:[\w-]+\.)*(?:kubernetes|k8s|berth|kubesphere)\.io")
"""Groups of APIs, and prefixes of annotations."""
_SERVICE = re.compile(r"(?P<name>[\w-]+)\.(?P<namespace>[\w-]+)\.svc(?P<end>\.cluster\.local)?")
_NAMED = re.compile(
    r"(?:(?i:\b(?:class|storageclass|claim|pvc|persistentvolumeclaim|pv|persistentvolume|volume|pod|node|namespace|name|"
    r"workload|deployment|statefulset|daemonset|replicaset|job|service|account|secret|configmap|user|quota|lease|webhook|"
    r"provisioner|named|host|server)s?[ \"'=:]+)|(?:节点|命名空间|制备器|服务器|主机) ?|-n |[/\"'=(:|（“])$"
)
"""What stands before a name, where it could be an ordinary word as well."""
_END = r"\s\"'`,;()\[\]{}<>|=，。；：、（）“”"
_PIECES = (
    r"(?P<sed>/\^[^/|\n]*/[a-z]?)"
    r"|(?P<option>(?<![\w\-])--[a-z][a-z\-]+)"
    rf"|(?P<url>[a-z][a-z0-9+]*://[^{_END}]+)"
    rf"|(?P<relative>(?<![\w.~\-/])(?:\.berth|pvc-{UID.pattern})/[^:{_END}]*)"
    rf"|(?P<path>(?<![\w.~\-])(?:/[\w.~][^/:{_END}]*)+/?)"
    r"|(?P<six>(?<![\w:.])[0-9a-fA-F]*:[0-9a-fA-F:]*:[0-9a-fA-F:.]*(?:%\w+)?(?![\w:]))"
    r"|(?P<word>(?a:[A-Za-z0-9_](?:[\w.\-~@+]*\w)?))"
    r"|(?P<foreign>[^\W\d_A-Za-z]+)"
)
_QUOTES = ("'", '"')
_LONG = re.compile(r"[^\w.\-]")
_URL = re.compile(r"(?P<head>[a-z0-9+]+://)(?P<host>\[[^\]]*\]|[^/:?]*)(?P<port>:\d+)?(?P<path>.*)")
_HOST = re.compile(r"[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}")
_DOMAINS = (
    "local", "lan", "com", "net", "org", "cn", "internal", "corp", "home", "intra", "io", "dev", "cloud", "app", "edu",
    "gov", "info", "tech", "localdomain", "example",
)  # fmt: skip
_CODE = re.compile(r"(\w+)\.go")
"""Where in a program a line of a log comes from."""
_LISTS = {
    "namespace": NAMESPACES,
    "provisioner": PROVISIONERS,
    "account": frozenset({"default"}),
    "user": frozenset({"root"}),
}
"""Of a kind the names that stay."""


class StandIns:
    """The stand-ins of one run."""

    def __init__(self) -> None:
        self.places = Places(self._part_of_path)
        self._words = known_words()
        self._of: dict[tuple[str, str], str] = {}
        self._kind: dict[str, str] = {}
        """Of each name that was learnt, the kind that it was learnt as first."""
        self._counts: Counter[str] = Counter()
        self._patterns: re.Pattern[str] | None = None

    def learn(self, kind: str, raw: str) -> None:
        """From now on it is known to be a name of that kind, wherever it stands."""
        if raw and raw not in self._kind and raw not in _LISTS.get(kind, ()):
            self._kind[raw] = kind
            if _LONG.search(raw):
                self._patterns = None

    def name(self, kind: str, raw: str) -> str:
        """The stand-in of a name of that kind."""
        if not raw or raw in _LISTS.get(kind, ()) or raw in PROVISIONERS:
            return raw
        if "@" in raw.strip("@"):
            user, _, host = raw.rpartition("@")
            return f"{self.name('user', user)}@{self.name('host', host)}"
        self.learn(kind, raw)
        if (address := self.places.address(raw.strip("[]"))) is not None:
            return raw.replace(raw.strip("[]"), address)
        if (kind, raw) not in self._of:
            self._of[kind, raw] = self._new(kind, raw)
        return self._of[kind, raw]

    def pair(self, kind: str, raw: str) -> str:
        """The stand-in of `namespace/name`, or of a name alone."""
        namespace, slash, name = raw.rpartition("/")
        return f"{self.name('namespace', namespace)}{slash}{self.name(kind, name)}"

    def share(self, raw: str) -> str:
        """The stand-in of `server:/export`."""
        server, colon, path = raw.partition(":/")
        if not colon:
            return self.text(raw)
        return f"{self.name('host', server)}:{self.places.path(f'/{path}')}"

    def value(self, raw: str) -> str:
        """The stand-in of a value: of a name where it is known as one, else as in a text."""
        return self.name(self._kind[raw], raw) if raw in self._kind else self.text(raw, is_foreign=True)

    def text(self, raw: str, *, is_foreign: bool = False) -> str:
        """The text with stand-ins for all in it that may be a name. is_foreign: none of ours, in whatever language."""

        def put(found: re.Match[str]) -> str:
            piece = found[0]
            match found.lastgroup:
                case "long":
                    return self.name(self._kind.get(piece, "provisioner"), piece)
                case "option":
                    bare = piece.strip("-")
                    is_ours = bare in self._words or self._are_words(bare.split("-"))
                    return piece if is_ours else f"--{self.name('name', bare)}"
                case "sed":
                    head, inner, tail = piece.split("/", 2)
                    return f"{head}/{self.text(inner)}/{tail}"
                case "url":
                    return self._url(piece)
                case "path" | "relative":
                    return self.places.path(piece)
                case "six":
                    return self.places.address(piece) or piece
            before, after = raw[max(found.start() - 40, 0) : found.start()], raw[found.end() : found.end() + 2]
            if found.lastgroup == "word":
                return self._word(piece, before, after)
            is_name = piece in self._kind or (before[-1:] in _QUOTES and after[:1] == before[-1:])
            is_ours = not is_name and (not is_foreign or piece in foreign_sentences())
            return piece if is_ours else self.name("name", piece)

        return self._pieces.sub(put, raw)

    def _url(self, raw: str) -> str:
        found = _URL.fullmatch(raw)
        if found is None:
            return self.name("name", raw)
        host = self.name("host", found["host"])
        return f"{found['head']}{host}{found['port'] or ''}{self.places.path(found['path'])}"

    def _word(self, raw: str, before: str, after: str) -> str:
        if (address := self.places.address(raw)) is not None:
            return address
        is_plain = len(raw) == 1 or raw in self._words or raw.lower() in self._words or bool(_NUMBER.fullmatch(raw))
        if (kind := self._kind.get(raw)) is not None:
            is_meant = not is_plain or after.startswith("/") or bool(_NAMED.search(before))
            return self.name(kind, raw) if is_meant else raw
        is_group = _OURS.fullmatch(raw) is not None and self._are_words(raw.split("."))
        if is_plain or is_group or raw in PROVISIONERS or raw in NAMESPACES:
            return raw
        return self.name("host", raw) if after == ":/" else self._unknown(raw)

    def _unknown(self, raw: str) -> str:
        """A word that nobody knows: by its form."""
        if service := _SERVICE.fullmatch(raw):
            name, namespace = self.name("service", service["name"]), self.name("namespace", service["namespace"])
            return f"{name}.{namespace}.svc{service['end'] or ''}"
        if (uid := UID.search(raw)) is not None:
            return self._with_uid(raw, uid)
        *parts, last = raw.split(".")
        code = _CODE.fullmatch(raw)
        if code is not None and self._are_words(code[1].split("_")):
            return raw
        if parts and last not in _DOMAINS and self._are_words([*parts, last]):
            return raw  # such as a field of an object: `spec.nfs.path`
        return self.name("host" if _HOST.fullmatch(raw) else "name", raw)

    def _are_words(self, parts: Iterable[str]) -> bool:
        return all(part in self._words for part in parts)

    def _with_uid(self, raw: str, uid: re.Match[str]) -> str:
        """A PV's name, `<namespace>-<claim>-<pv>` as directories are called, or another name with a UID in it."""
        head, tail = raw[: uid.start()], raw[uid.end() :]
        pv = "pvc-" if head.endswith("pvc-") else ""
        head = head[: len(head) - len(pv)]
        return f"{self._joined(head)}{pv}{self.places.uid(uid[0])}{self._joined(tail)}"

    def _joined(self, raw: str) -> str:
        """What stands before or behind a PV's name: `namespace-claim-`, with the dashes that part them."""
        bare = raw.removeprefix("archived-").strip("-_.")
        if not bare:
            return raw
        begin = raw.index(bare)
        cuts = [at for at, char in enumerate(bare) if char == "-"]
        known = next(
            (f"{self.name('namespace', bare[:at])}-{self.name('claim', bare[at + 1 :])}"
             for at in cuts if self._is_a("namespace", bare[:at]) and self._is_a("claim", bare[at + 1 :])),
            None,
        )  # fmt: skip
        middle = known or self.name(self._kind.get(bare, "name"), bare)
        return f"{raw[:begin]}{middle}{raw[begin + len(bare) :]}"

    def _is_a(self, kind: str, raw: str) -> bool:
        return (kind, raw) in self._of or self._kind.get(raw) == kind or raw in _LISTS.get(kind, ())

    def _part_of_path(self, raw: str) -> str:
        if raw in self._kind:
            return self.name(self._kind[raw], raw)
        if (uid := UID.search(raw)) is not None:
            return self._with_uid(raw, uid)
        return self.name("dir", raw)

    @property
    def _pieces(self) -> re.Pattern[str]:
        """Of what a text consists; names that are more than one word (provisioners, shares) come first."""
        if self._patterns is None:
            long = filter(_LONG.search, {*self._kind, *PROVISIONERS})
            any_of = "|".join(map(re.escape, sorted(long, key=len, reverse=True)))
            self._patterns = re.compile(rf"(?P<long>(?<![\w.\-/])(?:{any_of})(?![\w\-/]))|{_PIECES}")
        return self._patterns

    def _new(self, kind: str, raw: str) -> str:
        if (uid := UID.search(raw)) is not None:
            return self._with_uid(raw, uid)
        while True:
            self._counts[kind] += 1
            made = _form(kind, raw, self._counts[kind])
            if made not in self._kind:  # never what is somebody's real name
                return made


def _form(kind: str, raw: str, number: int) -> str:
    """A stand-in that looks like what it stands for."""
    if kind == "host":
        return f"host-{number}.example"
    if kind == "provisioner" and "/" in raw:
        return f"example.com/provisioner-{number}"
    return f"{kind}-{number}"
