from hangtag.core.seeds import derive


def test_is_the_same_on_every_machine_and_in_every_version():
    assert derive(0, "order", 0) == 3991725939186754870
    assert derive(7, "step", 123) == 4402299046114462613


def test_seed_purpose_and_step_all_matter():
    seeds = {derive(seed, purpose, step) for seed in range(5) for purpose in ("order", "step") for step in range(50)}
    assert len(seeds) == 500
    assert all(0 <= seed < 2**63 for seed in seeds)
