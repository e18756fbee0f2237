"""Which other profiles a change reaches, beyond the one under review."""

from collections.abc import Iterable, Mapping

from runner.recipe.composition import DEFAULT_PROFILE
from runner.review.compare import Subject, settings_of
from runner.review.settings import setting_changes
from runner.review.value import Change, ProfileChange


def profile_changes(
    before: Mapping[str, Subject], after: Mapping[str, Subject], shown: Iterable[Change]
) -> tuple[ProfileChange, ...]:
    """The other profiles that changed, new ones first in the order of the recipe.

    Between a recipe and a lockfile, a profile that only one of them has was not run yet: that is no change.
    """
    known = {(change.path, str(change.before), str(change.after)) for change in shown}
    mixed = len({subject.run is None for subject in (*before.values(), *after.values())}) > 1
    found = []
    for name in dict.fromkeys([*after, *before]):
        if name == DEFAULT_PROFILE or not (before and after):
            continue
        if name not in before or name not in after:
            if not mixed:
                found.append(ProfileChange(name=name, kind="added" if name in after else "removed"))
            continue
        changes = setting_changes(*settings_of(before[name], after[name]))
        if changes:
            paths = [
                change.path
                for change in changes
                if (change.path, str(change.before), str(change.after)) not in known
            ]
            found.append(ProfileChange(name=name, kind="changed", paths=tuple(paths)))
    return tuple(found)
