"""The curves of a job, from its events."""

from runner.execution.curves import Point, curves
from runner.providers.base import Event


def metrics(at: int, **data: object) -> Event:
    return Event(id=f"e{at}", created_at=at, level="info", message="", type="metrics", data=data)


def test_numbers_are_kept_by_step() -> None:
    events = [
        metrics(20, step=2, total_steps=3, train_loss=0.5, train_accuracy=None),
        metrics(10, step=1, total_steps=3, train_loss=1, is_last=False, note="x"),
        metrics(30, step=2, train_loss=0.25, valid_loss=2.5),
        metrics(40, train_loss=9.0),
        Event(id="m", created_at=1, level="info", message="", data={"step": 1, "train_loss": 7.0}),
    ]

    assert {
        "train_loss": (Point(step=1, at=10, value=1.0), Point(step=2, at=30, value=0.25)),
        "valid_loss": (Point(step=2, at=30, value=2.5),),
    } == curves(events)
