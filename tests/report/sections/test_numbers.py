from hangtag.report.sections.numbers import costs, scores


def test_scores_come_with_interval_and_unit(judged):
    found = {fact.name: fact for fact in scores(judged())}
    assert found["accuracy"].value == "100.00%"
    assert found["accuracy"].meaning.startswith("95% interval 98.7")
    assert "nats" in found["loss"].meaning
    assert found["calibration error"].value == "10.0 points"


def test_costs_are_told_as_far_as_they_are_known(judged):
    card = {"params": 61_706, "training": {"seconds": 75.4, "peak_rss_mb": 486.2, "device": "CPU"}}
    found = {fact.name: fact.value for fact in costs(judged(card=card))}
    assert found == {
        "training time": "1:15",
        "memory to train": "486 MB",
        "size": "2.0 MB",
        "one picture": "0.12 ms",
        "many pictures": "4,568 a second",
    }
    assert [fact.name for fact in costs(judged())] == ["size", "one picture", "many pictures"]
