"""Reading archives: those that a release has, and those that are broken or made to do harm."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from berth.images.archive import Archive
from berth.images.errors import ArchiveError
from release.machines import AMD64, ARM64
from tests.images.archives import FULL_NAME, NAME, changed, image_archive


def test_the_archive_of_a_release_has_an_image_for_each_machine(tmp_path: Path) -> None:
    with Archive(image_archive(tmp_path / "image.tar")) as archive:
        assert (archive.name, archive.tag, archive.machines) == (FULL_NAME, "0.1.0", ("amd64", "arm64"))
        image = archive.image_for("arm64")
        assert [layer.label for layer in image.layers] == ["arm64: Python and its packages", "arm64: Berth"]
        assert json.loads(archive.content(image.config))["architecture"] == "arm64"


def test_one_machines_archive_is_told_from_another_machine(tmp_path: Path) -> None:
    with Archive(image_archive(tmp_path / "image-arm64.tar", [ARM64])) as archive:
        with pytest.raises(ArchiveError) as refusal:
            archive.image_for("amd64")
        assert refusal.value.text.en == (
            "image-arm64.tar is for arm64, and this machine is amd64: take berth-VERSION-image-amd64.tar of the release"
        )


def test_what_a_runtime_gets_is_one_image_in_both_forms(tmp_path: Path) -> None:
    with Archive(image_archive(tmp_path / "image.tar")) as archive:
        image = archive.image_for("amd64")
        made = tmp_path / "alone.tar"
        made.write_bytes(archive.alone(image))
        with tarfile.open(made) as tar:
            (older,) = json.load(tar.extractfile("manifest.json"))  # type: ignore[arg-type]
            assert older["RepoTags"] == [FULL_NAME]
            assert {older["Config"], *older["Layers"]} < set(tar.getnames())
    with Archive(made) as alone:
        assert (alone.name, alone.machines) == (FULL_NAME, ("amd64",))
        assert alone.top_blob.digest == image.manifest.digest


def test_what_a_single_machine_has_is_its_manifest(tmp_path: Path) -> None:
    with Archive(image_archive(tmp_path / "image.tar", [AMD64])) as archive:
        assert archive.top_blob.digest == archive.image_for("amd64").manifest.digest


def _cut(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def _replaced(path: Path) -> None:
    """Other content of the same length: what a disk makes of it."""

    def change(name: str, content: bytes) -> bytes:
        return bytes(len(content)) if name.startswith("blobs/") and len(content) > 50_000 else content

    changed(path, path.with_name("changed"), change).replace(path)


def _edited(edit: Callable[[Any], None]) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        def change(name: str, content: bytes) -> bytes:
            if name != "index.json":
                return content
            index = json.loads(content)
            edit(index["manifests"][0])
            return json.dumps(index).encode()

        changed(path, path.with_name("changed"), change).replace(path)

    return damage


def _deep(path: Path) -> None:
    changed(path, path.with_name("changed"), lambda name, content: b"[" * 100_000 if name == "index.json" else content)
    path.with_name("changed").replace(path)


def _rewritten(fact: str, told: object) -> Callable[[Path], None]:
    """Says something else of a fact wherever JSON has it, with every digest right again."""

    def damage(path: Path) -> None:
        with tarfile.open(path) as tar:
            files = {each.name: tar.extractfile(each).read() for each in tar if each.isreg()}  # type: ignore[union-attr]
        new: dict[str, bytes] = {}

        def stored(value: Any) -> Any:
            if isinstance(value, list):
                return [stored(each) for each in value]
            if not isinstance(value, dict):
                return value
            value = {name: told if name == fact else stored(each) for name, each in value.items()}
            if isinstance(value.get("digest"), str):
                content = files[f"blobs/sha256/{value['digest'].removeprefix('sha256:')}"]
                with suppress(ValueError):
                    content = json.dumps(stored(json.loads(content))).encode()
                digest = hashlib.sha256(content).hexdigest()
                new[f"blobs/sha256/{digest}"] = content
                value |= {"digest": f"sha256:{digest}", "size": len(content)}
            return value

        index = json.loads(files["index.json"])
        index["manifests"] = stored(index["manifests"])
        new["index.json"] = json.dumps(index).encode()
        with tarfile.open(path, "w") as tar:
            for name, content in new.items():
                info = tarfile.TarInfo(name)
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))

    return damage


@pytest.mark.parametrize("told", [5, None, "x", {"a": 1}, [7]])
def test_a_history_that_is_none_names_no_layer(tmp_path: Path, told: object) -> None:
    path = image_archive(tmp_path / "image.tar")
    _rewritten("history", told)(path)
    with Archive(path) as archive:
        assert [layer.label for layer in archive.image_for("arm64").layers] == ["arm64: 1", "arm64: 2"]


@pytest.mark.parametrize("told", [5, None, "x", {"a": 1}, [7]])
@pytest.mark.parametrize("fact", ["manifests", "layers", "config", "platform"])
def test_facts_of_another_form_are_refused(tmp_path: Path, fact: str, told: object) -> None:
    path = image_archive(tmp_path / "image.tar")
    _rewritten(fact, told)(path)
    with pytest.raises(ArchiveError, match=r"damaged|says neither|no image"):
        Archive(path)


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (_cut, "damaged"),
        (_replaced, "has other content"),
        (_edited(lambda top: top.update(digest="sha256:../../../../etc/passwd")), "says neither what it is"),
        (_edited(lambda top: top.update(digest=f"sha256:{'0' * 64}")), "is not whole in it"),
        (_edited(lambda top: top.update(size=-1)), "is not whole in it"),
        (_edited(lambda top: top.pop("annotations")), "no archive of an image with its name"),
        (_deep, "index.json in it can't be read"),
        (lambda path: path.write_bytes(b"\x1f\x8b not a tar"), "no image archive"),
        (lambda path: path.write_bytes(b""), "no image archive"),
    ],
    ids=["cut", "other content", "a path as digest", "missing blob", "size", "nameless", "deep", "packed", "empty"],
)
def test_what_is_damaged_is_told_before_anything_is_sent(
    tmp_path: Path, damage: Callable[[Path], None], told: str
) -> None:
    path = image_archive(tmp_path / "image.tar")
    damage(path)
    with pytest.raises(ArchiveError) as refusal:
        Archive(path)
    assert told in refusal.value.text.en
    assert str(path) in refusal.value.text.zh


def test_another_programs_archive_without_our_name_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "docker.tar", "w") as tar:
        info = tarfile.TarInfo("manifest.json")
        content = json.dumps([{"RepoTags": [NAME]}]).encode()
        info.size = len(content)
        tar.addfile(info, io.BytesIO(content))
    with pytest.raises(ArchiveError, match="OCI layout"):
        Archive(tmp_path / "docker.tar")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match=r"nothing\.tar can't be read: No such file"):
        Archive(tmp_path / "nothing.tar")
