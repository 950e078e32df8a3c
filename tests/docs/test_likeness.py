"""What a page shows is compared with what is real up to what is another each time, and no further."""

from __future__ import annotations

import pytest

from tests.docs.likeness import alike, merged

ROW = "data   Bound    pvc-e3226df4-cf2c-4b97-9436-1e596af37416   1Gi        RWX            nfs-client     0s"


@pytest.mark.parametrize(
    ("shown", "real"),
    [
        (ROW, "data   Bound    pvc-a845ffa5-cf14-4bea-a038-460fc02019b1   1Gi   RWX   nfs-client   2m3s"),
        ("berth-5d4f8c7b9d-x7x2q   1/1   Running   0   12s", "berth-6f7d9c8b5-abcde   1/1   Running   0   3s"),
        ("ok  space  921 MiB of 960 MiB free, 524,281 inodes", "ok  space  1.2 GiB of 2 GiB free, 65,500 inodes"),
        ("ok  round trip  median 1.15 ms, p99 8.13 ms, of 100", "ok  round trip  median 0.4 ms, p99 3 ms, of 100"),
        ("from port 58456", "from port 39804"),
        ("drwxrwxrwx 2 root root 4096 Nov 27 23:46 a", "drwxrwxrwx 2 root root 4096 Jan  3 2026 a"),
        ("10.244.0.7 is its address", "10.244.0.12 is its address"),
    ],
)
def test_what_changes_does_not_count(shown: str, real: str) -> None:
    assert alike([shown], [real, "", " "])


@pytest.mark.parametrize(
    ("shown", "real"),
    [
        (ROW, ROW.replace("Bound", "Pending")),
        (ROW, ROW.replace("1Gi", "2Gi")),
        (ROW, ROW.replace("data", "date")),
        ("0 of 2 pods ready", "1 of 2 pods ready"),
        ("10.0.0.5:/srv/nfs/k8s", "10.0.0.6:/srv/nfs/k8s"),
        ("root becomes uid 65534", "root becomes uid 0"),
    ],
)
def test_what_matters_counts(shown: str, real: str) -> None:
    assert not alike([shown], [real])


def test_an_ellipsis_stands_for_any_number_of_lines() -> None:
    assert alike(["a", "…", "d"], ["a", "b", "c", "d"])
    assert alike(["a", "…", "d"], ["a", "d"])
    assert alike(["a", "…"], ["a", "b", "c"])
    assert not alike(["a", "…", "d"], ["a", "b"])
    assert not alike(["a", "b"], ["a", "b", "c"])


def test_what_is_written_keeps_the_words_of_the_page_where_it_can() -> None:
    assert merged([ROW, "old"], [ROW.replace("0s", "7s"), "new"]) == [ROW, "new"]
    assert merged(["a", "…"], ["a", "b"]) == ["a", "…"]
