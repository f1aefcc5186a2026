"""The soak test, for a few seconds: scripts/soak.py says what it asks of the gateway."""

import soak


def test_nothing_is_wrong_or_left_after_ten_seconds_of_faults(tmp_path):
    assert soak.soak(tmp_path, seconds=10, seed=7)


def test_growth_is_the_last_third_over_the_first_without_the_warm_up():
    assert soak.growth([1, 1] + [100] * 3 + [120] * 2 + [150] * 3) == 1.5
    assert soak.growth([100]) == 1
