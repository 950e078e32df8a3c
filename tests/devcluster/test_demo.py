"""`make demo` as a person sees it on a terminal, and README's pictures, which are made of it."""

from __future__ import annotations

import re

import pytest

from berth.texts.text import Language
from devcluster import pictures
from devcluster.stage import COLOUR

ENDED = {
    "en": ("## The doctor says why, and what to type", "Everything it started was stopped and removed.", "Try next:"),
    "zh": ("## 诊断工具说出原因，并给出该输入的命令", "它启动的一切都已停止并删除。", "接下来可以试试："),
}


@pytest.mark.parametrize("language", pictures.LANGUAGES)
def test_a_claim_fails_and_what_the_doctor_prints_cures_it(language: Language) -> None:
    shown = pictures.recorded(language)
    plain = [COLOUR.sub("", line) for line in shown]
    for sentence in ENDED[language]:
        assert any(sentence in line for line in plain), plain
    cure = next(line.strip() for line in plain if line.startswith("    $ "))
    typed = plain.index(cure)
    bound = next(at for at, line in enumerate(plain) if re.match(r"demo4nfs +Bound +pvc-", line))
    assert typed < bound
    assert any(re.search(r"archived-ddddd-demo4nfs-pvc-", line) for line in plain[bound:])
    assert not any("Bound" in line for line in plain[:typed])
    for name, picture in pictures.pictures(shown, language).items():
        assert (pictures.FOLDER / name).read_text() == picture, "run `make pictures`"


def test_pictures_are_small_and_fetch_nothing() -> None:
    made = sorted(pictures.FOLDER.glob("*.svg"))
    assert len(made) == len(pictures.LANGUAGES) * len(pictures.SCHEMES)
    for path in made:
        text = path.read_text()
        assert len(text) < 10_000
        assert set(re.findall(r"https?://[^\"' ]+", text)) == {"http://www.w3.org/2000/svg"}
        assert not re.search(r"@import|@font-face|href|<script", text)
