"""What has expired leaves the disk."""

from pathlib import Path

import pytest

from runner.clock import SystemClock
from runner.local.inference import Inference
from runner.local.layout import Layout
from runner.local.rows import FileRow, JobRow, PartRow, UploadRow
from runner.local.service.context import Service
from runner.local.service.housekeeping import remove_expired
from runner.local.store import Store
from runner.local.supervisor import Supervisor


@pytest.fixture
def service(state: Path):
    layout, clock = Layout(state), SystemClock()
    store = Store(layout.database)
    yield Service(
        layout=layout,
        store=store,
        supervisor=Supervisor(layout, store, clock, "none", lambda: None),
        inference=Inference(layout, "none"),
        clock=clock,
        allow_network=False,
    )
    store.close()


def keep(service: Service, file_id: str, expires_at: int | None) -> Path:
    """A file on disk and in the state."""
    path = service.layout.file(file_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    row = FileRow(id=file_id, filename="a", purpose="fine-tune", size_bytes=1, sha256="0", created_at=1)
    service.store.add(FileRow(**{**_values(row), "expires_at": expires_at}))
    return path


def _values(row: FileRow) -> dict[str, object]:
    return {name: getattr(row, name) for name in row.__slots__}


def test_only_expired_files_are_removed(service: Service) -> None:
    """A file without an end stays, and so does one whose end is to come."""
    expired, later, for_ever = keep(service, "a", 1), keep(service, "b", 1 << 40), keep(service, "c", None)
    remove_expired(service)

    assert [path.exists() for path in (expired, later, for_ever)] == [False, True, True]
    assert [row.id for row in service.store.rows(FileRow)] == ["c", "b"]


@pytest.mark.parametrize("status", ["running", "paused"])
def test_a_file_in_use_outlives_its_time(service: Service, status: str) -> None:
    """A job that was accepted can be finished."""
    path = keep(service, "a", 1)
    service.store.add(
        JobRow(
            id="ftjob-1",
            created_at=1,
            model="tiny-1",
            base_model="tiny-1",
            fine_tuned_model="ft:tiny-1:local::1",
            training_file="a",
            seed=1,
            status=status,
        )
    )
    remove_expired(service)
    assert path.exists()

    service.store.move_job("ftjob-1", "cancelled", allowed_from=("running", "paused"))
    remove_expired(service)
    assert not path.exists()


def test_overdue_uploads_lose_their_parts(service: Service) -> None:
    """Nobody has to ask for them."""
    upload = UploadRow(
        id="upload_1",
        filename="a",
        purpose="fine-tune",
        size_bytes=1,
        mime_type="text/jsonl",
        created_at=1,
        expires_at=2,
    )
    folder = service.layout.upload(upload.id)
    folder.mkdir(parents=True)
    (folder / "part_1").write_bytes(b"x")
    service.store.add(upload, PartRow(id="part_1", upload_id=upload.id, created_at=1, size_bytes=1))
    remove_expired(service)

    assert not folder.exists()
    found = service.store.find(UploadRow, upload.id)
    assert found is not None
    assert found.status == "expired"
