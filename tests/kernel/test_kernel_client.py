"""Against the kernel's own NFS server and client: the direct share, and provisioned volumes on a node.

The guest runs pytest once; the results that it brings back are told here, one test for each group of them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from devcluster.kernel import ROOT, run_in_kernel
from tests.kernel.guest import file_systems, mounted_volumes

SCRIPT = """
. tests/kernel/guest/start.sh
"$PYTHON" -m pytest -q --tb=short -p no:cacheprovider -p tests.kernel.guest.kernel_places \\
    --junitxml="$OUT/report.xml" $TESTS
"""
SUITE = [path.stem for path in sorted((ROOT / "tests/conformance").glob("test_*.py")) if path.stem != "test_paths"]
"""The conformance suite, without the paths that are refused before any server is asked."""
PLACES = ("v3-free", "v3-squashed", "v4-free", "v4-squashed")
"""As guest/kernel_places.py calls them: NFS version, and whether root is squashed."""
FACTS = [name for name in vars(mounted_volumes) if name.startswith("test_")]
ODDITIES = [name for name in vars(file_systems) if name.startswith("test_")]
MODULES = ("tests/kernel/guest/mounted_volumes.py", "tests/kernel/guest/file_systems.py")

Report = dict[tuple[str, str], str]
"""(module, test with its parameters) -> what is wrong with it, empty when nothing is."""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """What became of all tests that the guest ran."""
    out_dir = tmp_path_factory.mktemp("guest")
    tests = [f"tests/conformance/{name}.py" for name in SUITE]
    env = {"PYTHON": sys.executable, "TESTS": " ".join([*tests, *MODULES])}
    result = run_in_kernel(SCRIPT, out_dir=out_dir, deadline=280, env=env)
    written = out_dir / "report.xml"
    assert written.exists(), result.output
    results: Report = {}
    for case in ElementTree.parse(written).iter("testcase"):
        wrong = [part.text or part.tag for part in case if part.tag in ("failure", "error", "skipped")]
        results[case.get("classname", "").rpartition(".")[2], case.get("name", "")] = "\n".join(wrong)
    assert results, result.output
    return results


def check(report: Report, module: str, is_meant: Callable[[str], bool]) -> None:
    """Fails with the story of each test that did; when none was run at all, too."""
    meant = {name: wrong for (of, name), wrong in report.items() if of == module and is_meant(name)}
    assert meant, f"nothing of {module} was run, but {sorted(report)}"
    wrong = {name: story for name, story in meant.items() if story}
    assert not wrong, "\n\n".join(f"{name}\n{story}" for name, story in wrong.items())


@pytest.mark.parametrize("module", SUITE)
@pytest.mark.parametrize("place", PLACES)
def test_the_direct_share_conforms_on_the_kernels_server(report: Report, place: str, module: str) -> None:
    check(report, module, lambda name: place in name)


@pytest.mark.parametrize("version", mounted_volumes.VERSIONS)
@pytest.mark.parametrize("fact", FACTS)
def test_a_volume_on_a_node(report: Report, fact: str, version: str) -> None:
    check(report, "mounted_volumes", lambda name: name == f"{fact}[{version}]")


@pytest.mark.parametrize("version", file_systems.VERSIONS)
@pytest.mark.parametrize("fact", ODDITIES)
def test_a_server_with_an_odd_file_system(report: Report, fact: str, version: str) -> None:
    check(report, "file_systems", lambda name: name == f"{fact}[{version}]")
