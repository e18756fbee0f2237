"""The routes of models."""

import shutil
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runner.local.catalogue import BUILT_IN, UnknownModelError, find_model
from runner.local.rows import ModelRow
from runner.local.service.context import Service, service_of
from runner.local.service.objects import model_object
from runner.local.service.refusals import ApiError, invalid, not_found

# When tiny-1 was made; fixed, so that listings do not change.
BUILT_IN_CREATED = 1795305600


async def list_models(request: Request) -> Response:
    """GET /models: the built-in ones and the fine-tuned ones; checkpoints are reached through their job."""
    fine_tuned = [row for row in service_of(request).store.models() if not row.is_checkpoint]
    data = [*map(_built_in_object, BUILT_IN), *map(model_object, fine_tuned)]
    return JSONResponse({"object": "list", "data": data})


async def retrieve_model(request: Request) -> Response:
    """GET /models/{name}; an alias gives the model it stands for."""
    service = service_of(request)
    name = service.model_called(request.path_params["name"])
    if name in BUILT_IN:
        return JSONResponse(_built_in_object(name))
    return JSONResponse(model_object(_model_row(service, name)))


async def delete_model(request: Request) -> Response:
    """DELETE /models/{name}: remove a fine-tuned model with its checkpoints, or one checkpoint."""
    service, name = service_of(request), request.path_params["name"]
    if name in BUILT_IN:
        raise ApiError(
            403, f"The model `{name}` is built in; only fine-tuned models can be deleted.", param="model"
        )
    row = _model_row(service, name)
    _refuse_in_use(service, row)
    if row.is_checkpoint:
        service.store.remove_model(row.id)
    else:
        service.store.remove_models_of(row.job_id)
    # The manifest goes first: a folder that is only half removed must not count as a model.
    folder = service.layout.root / row.path
    (folder / "manifest.json").unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    return JSONResponse({"id": name, "object": "model", "deleted": True})


ROUTES = [
    Route("/models", list_models, methods=["GET"]),
    Route("/models/{name:path}", retrieve_model, methods=["GET"]),
    Route("/models/{name:path}", delete_model, methods=["DELETE"]),
]


def _model_row(service: Service, name: str) -> ModelRow:
    row = service.store.model(name)
    if row is not None:
        return row
    try:
        # Folders and hub models can be trained and asked, but they are not the service's to show or delete.
        find_model(service.store, service.layout, name)
        message = f"The model `{name}` is not one that this service made."
    except UnknownModelError as error:
        message = str(error)
    raise not_found(message, "model", "model_not_found")


def _refuse_in_use(service: Service, row: ModelRow) -> None:
    folder = service.layout.root / row.path
    for job in service.store.unfinished_jobs():
        if job.id == row.job_id or (job.base_path or "").startswith(str(folder)):
            message = f"The model `{row.id}` is used by {job.id}, which is {job.status}."
            raise invalid(message, "model", "model_in_use")


def _built_in_object(name: str) -> dict[str, Any]:
    return {"object": "model", "id": name, "created": BUILT_IN_CREATED, "owned_by": "finetune-runner"}
