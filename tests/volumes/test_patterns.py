"""Path patterns: two spellings of one template, strict about what they name, and never a way out of the share."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from berth.volumes.errors import Refused
from berth.volumes.naming import HOME, overlaps
from berth.volumes.patterns import DEFAULT_PATTERN, parse_path_pattern, parse_sub_dir
from berth.volumes.request import Claim
from tests.volumes.builders import answer_of, claim, uid_of

CLAIM = claim("data", "team")
PV = f"pvc-{CLAIM.uid}"
NAMESPACE, NAME, VOLUME = "${.PVC.namespace}", "${.PVC.name}", "${.PV.name}"
LABEL, ANNOTATION = "${.PVC.labels.dir}", "${.PVC.annotations.nfs.io/dir}"

VALUES = st.one_of(
    st.sampled_from(["", ".", "..", "../..", "a/b", "/", "a/", HOME, "archived-x", "\0", "x" * 300, "\n", "\ud800"]),
    st.text(max_size=12),
)
PIECES = st.one_of(
    st.sampled_from([NAMESPACE, NAME, VOLUME, LABEL, ANNOTATION, "${.PVC.nam}", "${", "}", "$", "/", "..", "-", HOME]),
    st.text(max_size=6),
)
PATTERNS = st.one_of(st.text(max_size=30), st.lists(PIECES, max_size=6).map("".join))
# What could stand in a claim if Kubernetes did not look at it first.
CLAIMS = st.builds(Claim, namespace=VALUES, name=VALUES, uid=st.just(uid_of("any")))


def make(pattern: str, **values: str) -> str:
    labels = {"dir": values["label"]} if "label" in values else {}
    annotations = {"nfs.io/dir": values["annotation"]} if "annotation" in values else {}
    return parse_path_pattern(pattern).path(CLAIM, PV, labels, annotations)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        pytest.param(f"{NAMESPACE}/{NAME}", "team/data", id="namespace and name"),
        pytest.param(f"k8s/{VOLUME}", f"k8s/{PV}", id="the PV's name"),
        pytest.param("fixed", "fixed", id="no placeholder at all"),
        pytest.param(f"/{NAMESPACE}/{NAME}/", "team/data", id="slashes at both ends, as the reference takes them"),
        pytest.param(f"{LABEL}/{ANNOTATION}", "l/a/b", id="label and annotation"),
        pytest.param("a}$b", "a}$b", id="characters of the syntax, alone"),
    ],
)
def test_a_path_pattern_is_filled_in(pattern: str, path: str) -> None:
    assert make(pattern, label="l", annotation="a/b") == path


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        pytest.param("${pvc.metadata.namespace}/${pvc.metadata.name}", "team/data", id="namespace and name"),
        pytest.param("${pv.metadata.name}", PV, id="the PV's name"),
    ],
)
def test_a_sub_dir_is_filled_in(pattern: str, path: str) -> None:
    assert parse_sub_dir(pattern).path(CLAIM, PV, {}, {}) == path


def test_by_default_a_directory_is_named_as_the_reference_names_it() -> None:
    assert DEFAULT_PATTERN.path(CLAIM, PV, {}, {}) == f"team-data-{PV}"


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        pytest.param("", "empty", id="nothing"),
        pytest.param("/", "begins with `/`", id="the root"),
        pytest.param(f"/etc/{NAME}", "begins with `/`", id="absolute"),
        pytest.param(f"../{NAME}", "'..'", id="a way out"),
        pytest.param(f"{NAME}/../..", "'..'", id="a way out behind a value"),
        pytest.param(f"{NAME}//x", "empty part", id="two slashes"),
        pytest.param(f"{NAME}//x/", "empty part", id="two slashes before one that is left out"),
        pytest.param(f".berth/{NAME}", ".berth", id="Berth's own directory"),
        pytest.param(f"archived-{NAME}", "archived-", id="an archive's name"),
        pytest.param("${.PVC.name", "never closes it", id="a placeholder left open"),
        pytest.param("${.PVC.nmae}", "did you mean ${.PVC.name}?", id="a typing error"),
        pytest.param("${pvc.metadata.name}", "spelling of the parameter subDir", id="the other spelling"),
        pytest.param("${PVC_NAME}", "known are ${.PVC.name}", id="something else entirely"),
        pytest.param("${}", "is not known", id="a placeholder without a name"),
        pytest.param("${.PVC.labels.}", "is not known", id="a label without a name"),
        pytest.param("x" * 300, "longer than 255", id="a name too long whatever the claim"),
    ],
)
def test_a_pattern_that_no_claim_could_make_good_is_refused_at_once(pattern: str, said: str) -> None:
    with pytest.raises(Refused) as refusal:
        parse_path_pattern(pattern)
    assert refusal.value.field == "parameter pathPattern"
    assert said in refusal.value.why


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        pytest.param("${pvc.metadata.nmae}", r"did you mean \$\{pvc\.metadata\.name\}\?", id="a typing error"),
        pytest.param(LABEL, "spelling of the parameter pathPattern", id="a label, in the other spelling"),
        pytest.param("${pvc.metadata.labels.x}", "is not known", id="a label"),
        pytest.param("${FOO}", r"known are (\$\{pvc?\.metadata\.\w+\}(, )?){3}$", id="something else entirely"),
    ],
)
def test_a_sub_dir_with_an_unknown_placeholder_is_refused_with_advice(pattern: str, said: str) -> None:
    with pytest.raises(Refused, match=f"^parameter subDir: placeholder .* {said}"):
        parse_sub_dir(pattern)


@pytest.mark.parametrize("value", [pytest.param({}, id="missing"), pytest.param({"label": ""}, id="empty")])
def test_a_label_that_the_claim_lacks_is_named(value: dict[str, str]) -> None:
    with pytest.raises(Refused, match=r"^parameter pathPattern: .*label 'dir', which claim team/data does not have"):
        make(f"{NAMESPACE}/{LABEL}", **value)


def test_an_annotation_that_the_claim_lacks_is_named() -> None:
    with pytest.raises(Refused, match=r"annotation 'nfs\.io/dir', which claim team/data does not have"):
        make(ANNOTATION, label="x")


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("..", id="the parent"),
        pytest.param("x/../../y", id="a way out"),
        pytest.param("/etc", id="absolute"),
        pytest.param("a//b", id="two slashes"),
        pytest.param("x" * 256, id="a name too long"),
    ],
)
def test_a_value_that_makes_no_path_is_named_with_the_annotation_that_it_came_from(value: str) -> None:
    with pytest.raises(Refused, match=r"made from .* and claim team/data, annotation 'nfs\.io/dir'"):
        make(f"{NAMESPACE}/{ANNOTATION}", annotation=value)


@pytest.mark.parametrize(
    ("pattern", "value"),
    [
        pytest.param(ANNOTATION, ".berth/trash/x", id="Berth's own directory"),
        pytest.param(f".{ANNOTATION}", "berth", id="Berth's own directory, put together"),
        pytest.param(f"arch{ANNOTATION}", "ived-x", id="an archive, put together"),
    ],
)
def test_a_value_can_not_lead_to_what_is_berths_own(pattern: str, value: str) -> None:
    with pytest.raises(Refused):
        make(pattern, annotation=value)


@pytest.mark.parametrize(
    ("pattern", "is_unique"),
    [
        pytest.param(VOLUME, True, id="the PV's name"),
        pytest.param(f"{NAMESPACE}-{NAME}-{VOLUME}", True, id="the PV's name in the first part"),
        pytest.param(f"{VOLUME}/data", True, id="a path below the PV's name"),
        pytest.param(f"{NAMESPACE}/{VOLUME}", False, id="the PV's name in a later part"),
        pytest.param(f"{NAMESPACE}-{NAME}", False, id="no PV's name"),
        pytest.param(f"{LABEL}-{VOLUME}", False, id="behind a label, which could hold a slash"),
        pytest.param("fixed", False, id="no placeholder"),
    ],
)
def test_a_path_is_unique_when_its_first_part_names_the_pv(pattern: str, is_unique: bool) -> None:
    assert parse_path_pattern(pattern).is_unique is is_unique


@given(PATTERNS, CLAIMS, VALUES, VALUES)
@example(f"{LABEL}/x", CLAIM, "..", "")
@example(f"{LABEL}{ANNOTATION}", CLAIM, ".", ".")
@example(f"{NAME}", Claim("team", "archived-x", uid_of("any")), "", "")
def test_whatever_pattern_and_values_the_path_stays_inside_the_share(
    tmp_path_factory: pytest.TempPathFactory, text: str, of: Claim, label: str, annotation: str
) -> None:
    for parse in (parse_path_pattern, parse_sub_dir):
        pattern = answer_of(partial(parse, text))
        if isinstance(pattern, Refused):
            assert pattern.field in ("parameter pathPattern", "parameter subDir")
            continue
        path = answer_of(partial(pattern.path, of, PV, {"dir": label}, {"nfs.io/dir": annotation}))
        if isinstance(path, Refused):
            assert path.field == pattern.parameter
            continue
        root = Path(os.path.realpath(tmp_path_factory.getbasetemp()))
        assert os.path.realpath(root / path) == f"{root}/{path}" != str(root)
        assert not overlaps(path.lower(), HOME)
        assert not path.lower().startswith("archived-")
        assert all(len(part.encode()) <= 255 for part in path.split("/"))
        assert pattern.could_make(path, of, PV)


@given(st.lists(st.sampled_from([NAMESPACE, NAME, VOLUME, "x", "/", "-"]), min_size=1).map("".join))
def test_unique_paths_of_two_volumes_never_overlap(text: str) -> None:
    try:
        pattern = parse_path_pattern(text)
    except Refused:
        return
    if pattern.is_unique:
        other = claim("data", "team2")
        try:
            one = pattern.path(CLAIM, PV, {}, {})
            two = pattern.path(other, f"pvc-{other.uid}", {}, {})
        except Refused:  # too long
            return
        assert not overlaps(one, two)
        assert not overlaps(one, "team/data")


@pytest.mark.parametrize(
    ("pattern", "path", "could"),
    [
        pytest.param(f"{NAMESPACE}/{NAME}", "team/data", True, id="this claim's"),
        pytest.param(f"{NAMESPACE}/{NAME}", "team/other", False, id="another claim's"),
        pytest.param(f"{NAMESPACE}/{NAME}", "team/data/x", False, id="a path below this claim's"),
        pytest.param(f"{NAMESPACE}/{LABEL}", "team/anything/at/all", True, id="a label could have been anything"),
        pytest.param(f"{NAMESPACE}/{LABEL}", "team/", True, id="the reference leaves out a label that is missing"),
        pytest.param(f"{NAMESPACE}/{LABEL}", "other/x", False, id="another namespace's"),
        pytest.param(f"{LABEL}-{NAME}-{LABEL}-end", "a-data-b-end", True, id="values between fixed text"),
        pytest.param(f"{LABEL}-{NAME}-{LABEL}-end", "a-data-end", False, id="fixed text must not be used twice"),
        pytest.param(f"{LABEL}aba{LABEL}", "xaba", True, id="fixed text at the end"),
        pytest.param(f"{LABEL}x{LABEL}", "xa", True, id="fixed text right at the beginning"),
        pytest.param(f"{LABEL}-end", "a-enx", False, id="another text at the end"),
        pytest.param(f"a{LABEL}a", "a", False, id="first and last text must not overlap"),
    ],
)
def test_a_path_is_compared_with_what_the_pattern_could_have_made(pattern: str, path: str, could: bool) -> None:
    assert parse_path_pattern(pattern).could_make(path, CLAIM, PV) is could


def test_comparing_takes_no_longer_with_many_labels() -> None:
    pattern = parse_path_pattern("/".join([f"a{LABEL}"] * 40))
    assert not pattern.could_make("a" * 1000, CLAIM, PV)
