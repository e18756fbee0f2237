"""One job, one charge, no lost ID: whatever fails at the host and wherever the runner is killed.

A scenario is a kind of host, faults per request and a kill point; it runs again until the work is done.
FINETUNE_FAULT_SEEDS says how many random scenarios there are besides the enumerated ones.
"""

import os
from collections.abc import Iterator

import pytest

from tests.faults.bench import KINDS, PART_KINDS, Bench, Kind, Scenario, check_all
from tests.faults.scenarios import (
    CREATE,
    UPLOAD,
    Fault,
    all_faults,
    killed,
    part_faults,
    random_scenario,
)

BENCHES = 2
FAULTS = list(all_faults())
PART_FAULTS = list(part_faults())
SEEDS = int(os.environ.get("FINETUNE_FAULT_SEEDS", "20"))


def name_of(value: Kind | Fault) -> str:
    if isinstance(value, Kind):
        return value.name
    return " ".join(f"{request} {words}" for request, words in value) or "no fault"


@pytest.fixture(scope="session")
def benches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Bench]]:
    """Benches that work side by side."""
    made = [Bench(tmp_path_factory.mktemp(f"bench-{number}")) for number in range(BENCHES)]
    yield made
    for bench in made:
        bench.stop()


@pytest.mark.parametrize("every", [pytest.param(1, marks=pytest.mark.long), len(KINDS)])
@pytest.mark.parametrize("kind", KINDS, ids=name_of)
def test_killed_at_any_step(benches: list[Bench], kind: Kind, every: int) -> None:
    """At every step of each kind of host, or at every step of one of them."""
    calm = Scenario(kind=kind)
    problems, runs = benches[0].play(calm)

    assert [] == problems
    assert 1 == len(runs)
    first = KINDS.index(kind) % every
    assert [] == check_all(benches, killed(calm, len(runs[0].trace), first=first, every=every))


@pytest.mark.parametrize("every", [pytest.param(1, marks=pytest.mark.long), 6])
@pytest.mark.parametrize("kind", [KINDS[0], pytest.param(KINDS[2], marks=pytest.mark.long)], ids=name_of)
def test_a_rerun_killed_at_any_step(benches: list[Bench], kind: Kind, every: int) -> None:
    """It makes one more job, whose comparison is told until it is locked; the last step is its end."""
    calm = Scenario(kind=kind, command="rerun")
    problems, runs = benches[0].play(calm)

    assert [] == problems
    assert "after journal done rerun" == runs[0].trace[-1]
    assert [] == check_all(benches, killed(calm, len(runs[0].trace) - 1, first=3, every=every))


def test_every_fault_without_a_kill_and_with_one(benches: list[Bench]) -> None:
    """In turn, as are kinds of host and kill points; `test_every_fault_at_every_step` has all of them."""
    scenarios = []
    for number, fault in enumerate(FAULTS):
        kills = (number * 7 % 40,) if number % 2 else ()
        scenarios.append(Scenario(kind=KINDS[number % len(KINDS)], faults=fault, kills=kills))

    assert [] == check_all(benches, scenarios)


@pytest.mark.parametrize("every", [pytest.param(1, marks=pytest.mark.long), 9])
@pytest.mark.parametrize("kind", PART_KINDS, ids=name_of)
def test_an_upload_in_parts_killed_at_any_step(benches: list[Bench], kind: Kind, every: int) -> None:
    calm = Scenario(kind=kind)
    problems, runs = benches[0].play(calm)

    assert [] == problems
    sent = [step for step in runs[0].trace if step.startswith("after POST /uploads")]
    assert [f"after POST /uploads/upload-{number}/parts" for number in (1, 1, 1, 1, 2, 2)] == [
        step for step in sent if step.endswith("/parts")
    ]
    assert [] == check_all(benches, killed(calm, len(runs[0].trace), first=5, every=every))


def test_faults_of_an_upload_in_parts(benches: list[Bench]) -> None:
    """Some, with a kill each; `test_every_fault_in_parts_at_every_step` has all."""
    scenarios = [
        Scenario(kind=PART_KINDS[number % 2], faults=fault, kills=(20 + number,))
        for number, fault in enumerate(PART_FAULTS[::6])
    ]

    assert [] == check_all(benches, scenarios)


def test_random_faults_and_kills(benches: list[Bench]) -> None:
    assert [] == check_all(benches, [random_scenario(seed) for seed in range(SEEDS)])


@pytest.mark.long
@pytest.mark.parametrize("fault", FAULTS, ids=name_of)
def test_every_fault_at_every_step(benches: list[Bench], fault: Fault) -> None:
    """Each step of the faulty run; each kind of host has its share of the steps."""
    for number, kind in enumerate(KINDS):
        calm = Scenario(kind=kind, faults=fault)
        problems, runs = benches[0].play(calm)

        assert [] == problems
        assert [] == check_all(benches, killed(calm, len(runs[0].trace), first=number, every=len(KINDS)))


@pytest.mark.long
@pytest.mark.parametrize("fault", PART_FAULTS, ids=name_of)
def test_every_fault_in_parts_at_every_step(benches: list[Bench], fault: Fault) -> None:
    for number, kind in enumerate(PART_KINDS):
        calm = Scenario(kind=kind, faults=fault)
        problems, runs = benches[0].play(calm)

        assert [] == problems
        steps = killed(calm, len(runs[0].trace), first=number, every=len(PART_KINDS))
        assert [] == check_all(benches, steps)


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS, ids=name_of)
def test_every_fault_in_a_rerun_with_a_kill(benches: list[Bench], kind: Kind) -> None:
    scenarios = [
        Scenario(kind=kind, faults=fault, kills=(number * 7 % 40,), command="rerun")
        for number, fault in enumerate(FAULTS)
    ]

    assert [] == check_all(benches, scenarios)


@pytest.mark.long
def test_many_random_faults_and_kills(benches: list[Bench]) -> None:
    assert [] == check_all(benches, [random_scenario(seed) for seed in range(1_000, 1_000 + 15 * SEEDS)])


@pytest.mark.parametrize("number", range(2))
def test_two_at_once_in_one_folder_make_one_job(benches: list[Bench], number: int) -> None:
    """The second one is sent away or follows the first one's job."""
    bench, kind = benches[0], KINDS[0]
    host = bench.prepare(Scenario(kind=kind))
    folder = bench.copy()
    codes = [ended.code for ended in bench.ask(bench.child(folder, kind), bench.child(folder, kind))]

    assert 0 in codes
    assert set(codes) <= {0, 1}
    assert (1, 1) == (host.count(CREATE), host.charges)
    assert [1, 1] == list(host.uploads.values())


@pytest.mark.parametrize("number", range(4))
def test_two_machines_at_once_end_with_one_live_job(benches: list[Bench], number: int) -> None:
    """Each looks before and after it creates; the later job is cancelled and both lock the earlier one."""
    bench, kind = benches[0], KINDS[number % 2]
    host = bench.prepare(Scenario(kind=kind))
    folders = [bench.copy(), bench.copy()]
    ended = bench.ask(*(bench.child(folder, kind) for folder in folders))
    locks = {(folder / "faq.lock.yaml").read_text() for folder in folders}

    assert [0, 0] == [one.code for one in ended], ended
    assert ["ftjob-1"] == host.live_jobs()
    assert 1 == len(locks)


def test_a_host_that_loses_metadata_against_its_entry_is_asked_about(benches: list[Bench]) -> None:
    kind = Kind(name="lies about metadata", metadata="dropped")
    bench = benches[0]
    host = bench.prepare(Scenario(kind=kind, faults=((CREATE, ("drop",)),)))
    folder = bench.copy()
    codes = [bench.ask(bench.child(folder, kind))[0].code for _ in range(3)]

    assert [1, 1, 1] == codes
    assert (1, 2) == (host.count(CREATE), host.count(UPLOAD))


@pytest.mark.parametrize("fault", ["drop", "drop_before"])
def test_without_metadata_another_job_of_the_same_bytes_is_not_adopted(
    benches: list[Bench], fault: str
) -> None:
    """Each job has a training file of its own, so a lost answer finds this job or none."""
    bench = benches[0]
    kind = next(kind for kind in KINDS if not kind.says_metadata)
    host = bench.prepare(Scenario(kind=kind))
    folder = bench.copy()
    first = bench.ask(bench.child(folder, kind))[0]
    recipe = folder / "faq.yaml"
    recipe.write_text(recipe.read_text().replace("n_epochs: 2", "n_epochs: 3"))
    host.faults = {CREATE: [fault]}
    second = bench.ask(bench.child(folder, kind))[0]
    lock = (folder / "faq.lock.yaml").read_text()

    assert [0, 0] == [first.code, second.code]
    assert 2 == host.charges
    assert "      id: ftjob-2\n" in lock
    assert host.jobs["ftjob-1"]["training_file"] != host.jobs["ftjob-2"]["training_file"]


@pytest.mark.parametrize("kind", [KINDS[0], KINDS[2]], ids=name_of)
def test_a_lying_host_is_refused_wherever_the_runner_is_killed(benches: list[Bench], kind: Kind) -> None:
    """The job that says it trains another model is neither locked nor made again."""
    bench = benches[0]
    for kill_at in range(1, 30, 7):
        host = bench.prepare(Scenario(kind=kind))
        host.job_lies = {"model": "base-9"}
        folder = bench.copy()
        killed = [bench.ask(bench.child(folder, kind, kill_at=at))[0] for at in (kill_at, None, None)]

        assert [1, 1] == [ended.code for ended in killed[1:]], kill_at
        assert "model is 'base-9', sent was 'base-1'" in killed[-1].output
        assert (1, 1) == (host.count(CREATE), host.charges), kill_at
        assert not (folder / "faq.lock.yaml").exists()
