"""The error family of images. Every error is one sentence for people, in both languages (str() is the English one).

ImageError
 |- BadReference   what was typed names no place in a registry; nothing was touched
 |- ArchiveError   an archive is not there, or is not what it should be; nothing was touched
 |- RegistryError  a registry did not take what was to be pushed; what was tagged before is as it was
 |   `- Lost       the connection, or an answer that may be another one the next time: worth another try
 `- RuntimeFailed  what runs containers here was not found, or did not take the image
"""

from __future__ import annotations

from berth.texts.text import Text


class ImageError(Exception):
    """Base of the family; never raised itself. text: the sentence."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.en)
        self.text = text


class BadReference(ImageError):  # noqa: N818 - says what it is
    """What was typed names no place in a registry, or no tag."""


class ArchiveError(ImageError):
    """An archive that is not there, can't be read, or is damaged."""


class RegistryError(ImageError):
    """A registry that refuses, does not answer, or is none."""


class Lost(RegistryError):  # noqa: N818 - says what happened
    """Worth another try. wait: seconds that the registry asks for, 0 where it says none."""

    def __init__(self, text: Text, wait: float = 0.0) -> None:
        super().__init__(text)
        self.wait = wait


class RuntimeFailed(ImageError):  # noqa: N818 - says what happened
    """What runs containers on this machine."""
