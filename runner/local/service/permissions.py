"""The routes of checkpoint permissions.

The service has one token and so one user: permissions are kept for clients that manage them, and nobody is
kept out by them.
"""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runner.local.identifiers import derived_id
from runner.local.rows import PermissionRow
from runner.local.service.bodies import check_object, chosen, page_limit, read_object
from runner.local.service.context import service_of
from runner.local.service.objects import list_object, permission_object
from runner.local.service.refusals import not_found
from runner.local.service.schemas import PERMISSIONS
from runner.local.store import page

DEFAULT_PAGE = 10


async def create_permissions(request: Request) -> Response:
    """POST /fine_tuning/checkpoints/{checkpoint}/permissions; one that is there already is given again."""
    service, checkpoint = service_of(request), _checkpoint_of(request)
    body = await read_object(request)
    check_object(body, PERMISSIONS)
    with service.store.transaction():
        for project_id in body["project_ids"]:
            permission_id = derived_id("cp", f"{checkpoint}/{project_id}")
            service.store.add(
                PermissionRow(
                    id=permission_id, checkpoint=checkpoint, project_id=project_id, created_at=service.now
                )
            )
    wanted = set(body["project_ids"])
    rows = [row for row in service.store.permissions(checkpoint) if row.project_id in wanted]
    return JSONResponse(list_object([permission_object(row) for row in rows], has_more=False))


async def list_permissions(request: Request) -> Response:
    """GET /fine_tuning/checkpoints/{checkpoint}/permissions: newest first unless `order` says otherwise."""
    query = request.query_params
    rows = service_of(request).store.permissions(_checkpoint_of(request))
    if chosen(request, "order", ("descending", "ascending")) == "descending":
        rows = rows[::-1]
    project_id = query.get("project_id")
    matching = [row for row in rows if project_id in (None, row.project_id)]
    found, has_more = page(matching, after=query.get("after"), limit=page_limit(request, DEFAULT_PAGE))
    return JSONResponse(list_object([permission_object(row) for row in found], has_more=has_more))


async def delete_permission(request: Request) -> Response:
    """DELETE /fine_tuning/checkpoints/{checkpoint}/permissions/{id}."""
    service, permission_id = service_of(request), request.path_params["id"]
    row = service.store.find(PermissionRow, permission_id)
    if row is None or row.checkpoint != _checkpoint_of(request):
        raise not_found(f"No such permission: {permission_id}", "permission_id")
    service.store.remove(PermissionRow, permission_id)
    return JSONResponse({"id": permission_id, "object": "checkpoint.permission", "deleted": True})


PATH = "/fine_tuning/checkpoints/{checkpoint:path}/permissions"
ROUTES = [
    Route(PATH, create_permissions, methods=["POST"]),
    Route(PATH, list_permissions, methods=["GET"]),
    Route(f"{PATH}/{{id}}", delete_permission, methods=["DELETE"]),
]


def _checkpoint_of(request: Request) -> str:
    name: str = request.path_params["checkpoint"]
    row = service_of(request).store.model(name)
    if row is None:
        raise not_found(f"No such checkpoint: {name}", "fine_tuned_model_checkpoint", "checkpoint_not_found")
    return row.id
