"""Plans that are run together, one after another."""

from collections.abc import Iterable
from dataclasses import replace

from runner.planning.value import Planned, Step, Upload


def all_stages(plans: Iterable[Planned]) -> tuple[Planned, ...]:
    """What the runs of some plans go through, each once, and before what builds on it."""
    return tuple({stage.loaded.run_name: stage for planned in plans for stage in planned.stages}.values())


def with_shared_uploads(plans: Iterable[Planned]) -> tuple[Planned, ...]:
    """Plans that are run one after another: a file that an earlier one sends is not sent again."""
    sent: set[tuple[str, str]] = set()

    def shared(planned: Planned) -> Planned:
        steps: list[Step] = []
        for step in planned.plan.steps:
            if isinstance(step, Upload):
                name = (planned.plan.provider, step.filename)
                steps.append(replace(step, reason="the same file, sent once") if name in sent else step)
                sent.add(name)
            else:
                steps.append(step)
        return replace(planned, plan=replace(planned.plan, steps=tuple(steps)))

    return tuple(shared(planned) for planned in plans)
