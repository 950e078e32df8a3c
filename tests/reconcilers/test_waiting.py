"""Who waits for a PV is forgotten when he is gone, or waits for something else by then."""

from __future__ import annotations

from collections.abc import Callable

from berth.reconcilers.waiting import Waiting


def test_a_waiter_waits_once_and_is_forgotten_with_what_he_wanted() -> None:
    waiting, woken = Waiting(), list[str]()

    def wake(key: str) -> Callable[[], None]:
        return lambda: woken.append(key)

    for number in range(1000):  # claims that came, were refused, and went
        waiting.put(f"provision team/claim-{number}", ("pv-1", f"pv-{number}"), wake("never"))
        waiting.drop(f"provision team/claim-{number}")
    assert len(waiting) == 0
    assert not waiting._by_pv
    waiting.put("a", ("pv-1", "pv-2"), wake("a"))
    waiting.put("a", ("pv-3",), wake("a"))  # what stood in its way before does no more
    waiting.put("b", ("pv-3", "pv-4"), wake("b"))
    waiting.wake("pv-1")
    assert woken == []
    waiting.wake("pv-3")
    assert woken == ["a", "b"]
    waiting.wake("pv-4")
    assert woken == ["a", "b"]
    assert len(waiting) == 0
    assert not waiting._by_pv


def test_whoever_is_woken_may_wait_again_or_send_others_away() -> None:
    waiting, woken = Waiting(), list[str]()

    def again() -> None:
        woken.append("a")
        waiting.put("a", ("pv",), again)
        waiting.drop("b")

    waiting.put("a", ("pv",), again)
    waiting.put("b", ("pv",), lambda: woken.append("b"))
    waiting.wake("pv")
    assert woken == ["a"]
    assert len(waiting) == 1
