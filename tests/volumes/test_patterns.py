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
        pytest.param(f"/application/dev/{ANNOTATION}", "application/dev/a/b", id="a slash before a name"),
        pytest.param("/team/drupal/", "team/drupal", id="slashes around a fixed path"),
        pytest.param(f"./{NAMESPACE}/{NAME}", "team/data", id="this directory"),
        pytest.param(f"{NAMESPACE}//{NAME}", "team/data", id="two slashes"),
        pytest.param(f"//{NAMESPACE}/././/{NAME}/./", "team/data", id="all of them"),
        pytest.param(f"{NAMESPACE}/.{NAME}/..x", "team/.data/..x", id="dots that belong to a name"),
        pytest.param(f"{NAMESPACE}.//{NAME}.", "team./data.", id="dots behind a value"),
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
        pytest.param("/./k8s//${pv.metadata.name}/", f"k8s/{PV}", id="cleaned as well"),
    ],
)
def test_a_sub_dir_is_filled_in(pattern: str, path: str) -> None:
    assert parse_sub_dir(pattern).path(CLAIM, PV, {}, {}) == path


def test_by_default_a_directory_is_named_as_the_reference_names_it() -> None:
    assert DEFAULT_PATTERN.path(CLAIM, PV, {}, {}) == f"team-data-{PV}"


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        pytest.param("", "the root of the share", id="nothing"),
        pytest.param("/", "'/' is the root of the share", id="the root"),
        pytest.param("././/", "'././/' is the root of the share", id="the root, written otherwise"),
        pytest.param(f"../{NAME}", "'..'", id="a way out"),
        pytest.param(f"{NAME}/../..", "'..'", id="a way out behind a value"),
        pytest.param(f"/a//{NAME}/../b", "'/a//${.PVC.name}/../b' contains", id="quoted as it is written"),
        pytest.param(f"./{NAME}/.zfs", "'./${.PVC.name}/.zfs' contains '.zfs'", id="quoted behind other words"),
        pytest.param(f"//.berth/{NAME}", "'//.berth/${.PVC.name}' begins", id="Berth's own, behind slashes"),
        pytest.param(f".berth/{NAME}", ".berth", id="Berth's own directory"),
        pytest.param(f"archived-{NAME}", "archived-", id="an archive's name"),
        pytest.param("${.PVC.name", "never closes it", id="a placeholder left open"),
        pytest.param("${.PVC.nmae}", "did you mean ${.PVC.name}?", id="a typing error"),
        pytest.param("${pvc.metadata.name}", "spelling of the parameter subDir", id="the other spelling"),
        pytest.param("${.pvc.name}", "did you mean ${.PVC.name}?", id="small letters"),
        pytest.param("${.PVC.metadata.namespace}", "did you mean ${.PVC.namespace}?", id="as the object has it"),
        pytest.param("${PVC_NAME}", "did you mean ${.PVC.name}?", id="as a variable"),
        pytest.param("${HOME}", "known are ${.PVC.name}", id="something else entirely"),
        pytest.param("$(.PVC.name)", "'$(.PVC.name)' is no placeholder; write ${.PVC.name}", id="parentheses"),
        pytest.param("a/{{ .PVC.name }}", "'{{ .PVC.name }}' is no placeholder; write ${.PVC.name}", id="a template"),
        pytest.param("{.PVC.namespace}", "write ${.PVC.namespace}", id="without the dollar"),
        pytest.param("$ {.PVC.name}", "write ${.PVC.name}", id="a blank behind the dollar"),
        pytest.param("$PVC_NAME", "write ${.PVC.name}", id="a shell's variable"),
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
        pytest.param("x" * 256, id="a name too long"),
    ],
)
def test_a_value_that_makes_no_path_is_named_with_the_annotation_that_it_came_from(value: str) -> None:
    with pytest.raises(Refused, match=r"made from .* and claim team/data, annotation 'nfs\.io/dir'"):
        make(f"{NAMESPACE}/{ANNOTATION}", annotation=value)


@pytest.mark.parametrize(
    ("value", "path"),
    [
        pytest.param("/etc", "team/etc", id="absolute"),
        pytest.param("a//b/", "team/a/b", id="slashes"),
        pytest.param("./a/./b", "team/a/b", id="dots"),
    ],
)
def test_a_value_is_cleaned_as_the_reference_cleans_it(value: str, path: str) -> None:
    assert make(f"{NAMESPACE}/{ANNOTATION}", annotation=value) == path


@pytest.mark.parametrize("value", [".", "/", "./", "//."])
def test_a_value_that_would_be_left_out_makes_no_shorter_path(value: str) -> None:
    with pytest.raises(Refused, match=r"annotation 'nfs\.io/dir', which says .* that names no directory"):
        make(f"{NAMESPACE}/{ANNOTATION}", annotation=value)


@pytest.mark.parametrize(
    ("pattern", "value"),
    [
        pytest.param(f"./{ANNOTATION}", "./.berth/x", id="Berth's own directory, behind a dot"),
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
        sources = {piece.source for piece in pattern.pieces}
        is_of_names = not sources & {"label", "annotation"} and ("pv" in sources or {"namespace", "name"} <= sources)
        assert pattern.proves(path, of, PV) is is_of_names


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
    ("pattern", "path", "proves"),
    [
        pytest.param(f"{NAMESPACE}/{NAME}", "team/data", True, id="this claim's"),
        pytest.param(f"{NAMESPACE}-{NAME}", "team-data", True, id="this claim's, in one part"),
        pytest.param(f"x/{VOLUME}", f"x/{PV}", True, id="this PV's"),
        pytest.param(f"{NAMESPACE}/{NAME}", "team/other", False, id="another claim's"),
        pytest.param(f"{NAMESPACE}/{NAME}", "team/data/x", False, id="a path below this claim's"),
        pytest.param(f"{NAMESPACE}/{NAME}", "team", False, id="a path above this claim's"),
        pytest.param(NAMESPACE, "team", False, id="a namespace's, which is all its claims'"),
        pytest.param(NAME, "data", False, id="a name, which is in all namespaces"),
        pytest.param("common/models", "common/models", False, id="a fixed path, which is everybody's"),
        pytest.param(LABEL, "x", False, id="a label could have been anything"),
        pytest.param(f"{NAMESPACE}/{NAME}/{LABEL}", "team/data/x", False, id="a label below the claim's own"),
        pytest.param(f"{VOLUME}/{LABEL}", f"{PV}/x", False, id="a label below the PV's own"),
    ],
)
def test_a_path_proves_whose_it_is_only_by_names_that_can_not_be_chosen(pattern: str, path: str, proves: bool) -> None:
    assert parse_path_pattern(pattern).proves(path, CLAIM, PV) is proves


@pytest.mark.parametrize(
    ("pattern", "is_own"),
    [
        (f"{NAMESPACE}/{NAME}", True),
        (f"k8s/{NAME}/{NAMESPACE}/data", True),
        (f"{NAMESPACE}-{NAME}-{VOLUME}", True),
        (VOLUME, True),
        (f"{NAMESPACE}-{NAME}", False),
        (f"x-{NAMESPACE}/{NAME}", False),
        (f"{NAMESPACE}{NAME}/{NAME}", False),
        (f"{NAMESPACE}/x", False),
        (NAME, False),
        ("common/models", False),
        (LABEL, False),
        (f"{NAMESPACE}/{NAME}/{LABEL}", False),
        (f"{LABEL}/{NAMESPACE}/{NAME}", False),
    ],
)
def test_a_path_is_a_claims_own_where_no_other_claim_can_spell_it(pattern: str, is_own: bool) -> None:
    assert parse_path_pattern(pattern).is_own is is_own


names = st.text("ab-", min_size=1, max_size=4)


@given(names, names, names, names, st.sampled_from([f"{NAMESPACE}/{NAME}", f"x/{NAME}/y/{NAMESPACE}"]))
def test_no_two_claims_have_one_path_of_their_own(ns: str, name: str, ns2: str, name2: str, text: str) -> None:
    pattern = parse_path_pattern(text)
    one, two = [pattern.path(Claim(*each, ""), PV, {}, {}) for each in ((ns, name), (ns2, name2))]
    assert overlaps(one, two) is ((ns, name) == (ns2, name2))
