"""The soak test, for a few seconds: scripts/soak.py says what it asks of the gateway."""

import soak


def test_nothing_is_wrong_or_left_after_ten_seconds_of_faults(tmp_path):
    assert soak.soak(tmp_path, seconds=10, seed=7)


def test_growth_is_the_last_third_over_the_first_without_the_warm_up():
    assert soak.growth([1, 1] + [100] * 3 + [120] * 2 + [150] * 3) == 1.5
    assert soak.growth([100]) == 1


def test_memory_that_creeps_up_is_not_flat():
    creeping = [20_000 + 3 * second for second in range(1800)]  # 3 KB a second
    assert not soak.flat(creeping)
    assert soak.flat([20_000 + 500 * (second % 2) for second in range(1800)])
    assert soak.flat([10_000, 20_000])  # of a short run nothing can be said


def once(condition, *_, **__):
    """Does not wait."""
    if not condition():
        raise TimeoutError


def test_a_load_of_refusals_is_none():
    assert soak.worked(soak.Counter(whole=60, left=200, no_healthy_node=40))
    assert not soak.worked(soak.Counter(whole=40, left=200, no_healthy_node=60))


class Gateway:
    """One that says what is left of its calls."""

    pid = "self"
    port = 1

    def __init__(self, in_flight):
        self.in_flight = in_flight

    def stats(self):
        return {"nodes": [{"name": "a", "in_flight": self.in_flight}], "queue_depth": 0}

    def metrics(self):
        return {}


def test_what_is_left_over_is_named(monkeypatch):
    monkeypatch.setattr(soak, "eventually", once)
    assert soak.left_over(Gateway(0), before=1000) == {}
    assert soak.left_over(Gateway(2), before=1000) == {"a": 2}
