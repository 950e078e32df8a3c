"""Characters that look like those of a command or a file, and are others: what a Chinese keyboard, a word processor or
a web page puts in their place. `（` is not `(`, an ideographic blank is not a blank, and what is not seen is there.

Every place that reads what people type asks here first, so that they are told the character, its place and what to type
instead of what a program makes of it.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from berth.texts.text import Text
from berth.texts.visible import fact, is_visible

_LIKE = {
    "-": "‐‑‒–—―−⁃─━➖﹘﹣",
    "'": "‘’‛′‵´＇",
    '"': "“”„‟″〝〞〟«»「」『』﹁﹂﹃﹄",
    "(": "⦅❨﹙︵",
    ")": "⦆❩﹚︶",
    "[": "【〔〖﹝",
    "]": "】〕〗﹞",
    "{": "❴﹛",
    "}": "❵﹜",
    "<": "《〈‹⟨",
    ">": "》〉›⟩",
    ",": "、‚､،﹐﹑",
    ".": "。｡·・･․‧﹒",
    ":": "∶꞉ː﹕︰",
    ";": ";﹔",
    "/": "∕⁄⧸╱",
    "\\": "∖⧵﹨",
    "|": "∣│┃￨",
    "~": "〜∼˜",
    "*": "∗⁎✱×﹡",
    "=": "═﹦",
    "_": "ˍ‗",
    "$": "￥¥﹩",
    "#": "﹟",
    "%": "﹪",
    "&": "﹠",
    "+": "﹢",
    "@": "﹫",
    "!": "﹗",
    "?": "﹖",
    "...": "…",
}
_MEANT = {char: meant for meant, chars in _LIKE.items() for char in chars}
_MEANT |= {chr(code + 0xFEE0): chr(code) for code in range(0x21, 0x7F)}  # the full-width forms of ASCII
_OPENING = "（【〔〖［｛《〈「『“‘＜﹁﹃"
_CLOSING = "）】〕〗］｝》〉」』”’＞﹂﹄"
_SYNTAX = "／＼∕⁄＊＄￥｛｝＝"
"""What separates the parts of paths and patterns: never a part of a name unless Chinese stands on both sides."""


@dataclass(frozen=True, slots=True)
class LookalikeCharacter:
    """One character that is another than it seems. at: its place in the text, from 0; meant: what to type; empty for
    what is to be left out.
    """

    at: int
    char: str
    meant: str

    @property
    def name(self) -> str:
        """Its code point and Unicode's name for it: `U+FF08 FULLWIDTH LEFT PARENTHESIS`."""
        return f"U+{ord(self.char):04X} {unicodedata.name(self.char, '')}".rstrip()

    @property
    def is_seen(self) -> bool:
        """Whether anything is seen of it: blanks and format characters are not."""
        return not self.char.isspace() and is_visible(self.char)

    @property
    def said(self) -> Text:
        """Which character it is, and which one is meant, as the rest of a sentence that begins with its place."""
        opening, closing = "‘’" if self.char in "“”" else "“”"
        if not self.meant and self.is_seen:
            return Text(
                f"'{self.char}' ({self.name}), which has no place there: leave it out",
                f"{opening}{self.char}{closing}（{self.name}），它不应出现在这里：请删除",
            )
        if not self.meant:
            return Text(f"{self.name}, which is not seen: leave it out", f"{self.name}，它不可见：请删除")
        if self.meant == " ":
            return Text(
                f"{self.name}, which is no blank: type an ordinary one", f"{self.name}，它不是普通空格：请改用普通空格"
            )
        return Text(
            f"'{self.char}' ({self.name}), which only looks like '{self.meant}': type '{self.meant}'",
            f"{opening}{self.char}{closing}（{self.name}），它只是看起来像“{self.meant}”：请改用英文的“{self.meant}”",
        )


def lookalikes(text: str, *, names: bool = False) -> tuple[LookalikeCharacter, ...]:
    """All of them in the text, in their order.

    names: it holds names that people choose, such as directories. There what is ordinary in Chinese (punctuation and
    full-width letters beside Chinese characters, brackets around or behind them) is what it is meant to be.
    """
    if text.isascii():
        return ()
    start, end = len(text) - len(text.lstrip()), len(text.rstrip())
    found = (
        LookalikeCharacter(at, char, meant if start <= at < end else "")
        for at, char in enumerate(text)
        if (meant := _meant(char)) is not None
    )
    return tuple(each for each in found if not (names and _is_ordinary(text, each)))


def corrected(text: str, found: tuple[LookalikeCharacter, ...]) -> str:
    """The text with what is meant in the place of those found in it."""
    chars = list(text)
    for each in found:
        chars[each.at] = each.meant
    return "".join(chars)


def complaint(text: str, *, names: bool = False) -> Text | None:
    """One sentence about the first of them, see told. None where there is none. names: as in lookalikes."""
    found = lookalikes(text, names=names)
    return told(text, found) if found else None


def told(text: str, found: tuple[LookalikeCharacter, ...]) -> Text:
    """One sentence about the first of those found in the text: its place, its name, what to type, and the whole as it
    is meant.
    """
    first, more = found[0], len(found) - 1
    typed, whole = fact(repr(text)), fact(corrected(text, found)).strip()
    en = f"character {first.at + 1} of {typed} is {first.said.en}"
    zh = f"{typed} 的第 {first.at + 1} 个字符是 {first.said.zh}"
    if more:
        en, zh = f"{en}, and {more} more like it", f"{zh}，另有 {more} 处同类问题"
    return Text(f"{en}; in all `{whole}`", f"{zh}；完整写法是 `{whole}`") if whole else Text(en, zh)


def _meant(char: str) -> str | None:
    if char.isascii():
        return None
    if char in _MEANT:
        return _MEANT[char]
    category = unicodedata.category(char)
    if category in ("Zs", "Zl", "Zp"):
        return " "
    if category == "Cf" or (not is_visible(char) and category != "Co"):
        return ""
    return None


def _is_ordinary(text: str, found: LookalikeCharacter) -> bool:
    """Whether it is what somebody who writes Chinese names means."""
    char = found.char
    if found.meant in ("", " "):
        return False
    before, after = _beyond(text, found.at)
    if char in _SYNTAX:
        return _is_chinese(before) and _is_chinese(after)
    if _is_chinese(before) or _is_chinese(after):
        return True
    if char in _OPENING:
        return _is_around_chinese(text, found.at, text.find(_CLOSING[_OPENING.index(char)], found.at))
    if char in _CLOSING:
        return _is_around_chinese(text, text.rfind(_OPENING[_CLOSING.index(char)], 0, found.at), found.at)
    return False


def _is_around_chinese(text: str, opening: int, closing: int) -> bool:
    """Whether the two belong together, around Chinese characters or right behind them."""
    if opening < 0 or closing < 0:
        return False
    return any(map(_is_chinese, text[opening:closing])) or _is_chinese(_beyond(text, opening)[0])


def _beyond(text: str, at: int) -> tuple[str, str]:
    """What stands before and behind the run of full-width letters and equal characters at this place."""

    def is_of_run(char: str) -> bool:
        both = _MEANT.get(text[at], "").isalnum() and _MEANT.get(char, "").isalnum()
        return both or char == text[at]

    start = end = at
    while start and is_of_run(text[start - 1]):
        start -= 1
    while end + 1 < len(text) and is_of_run(text[end + 1]):
        end += 1
    return text[start - 1 : start], text[end + 1 : end + 2]


_CHINESE = re.compile(r"[\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]")


def _is_chinese(char: str) -> bool:
    """Chinese, Japanese or Korean, and no punctuation."""
    return _CHINESE.fullmatch(char) is not None and char not in _MEANT
