"""/openapi.json and /asyncapi.json of the admin listener."""

import gzip
import json
from contextlib import asynccontextmanager

import aiohttp
import pytest
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from app.admin.listener import Admin
from app.settings.sections import AdminSettings
from schemas.documents.asyncapi import asyncapi
from schemas.documents.openapi import openapi

pytestmark = pytest.mark.loopback


class Ready:
    can_accept = True
    degraded = ()


@asynccontextmanager
async def listening():
    settings = AdminSettings(port=0, token=SecretStr("a-long-token-of-the-admin"))
    admin = Admin(settings, alive=lambda: True, condition=Ready, registry=CollectorRegistry())
    await admin.start()
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{admin.port}", auto_decompress=False) as session:
            yield session
    finally:
        await admin.stop()


@pytest.mark.parametrize(("path", "document"), [("/openapi.json", openapi), ("/asyncapi.json", asyncapi)])
async def test_a_document_is_there_for_everybody_as_json(path, document):
    async with listening() as session, session.get(path, headers={"Accept-Encoding": "identity"}) as answer:
        assert (answer.status, answer.content_type) == (200, "application/json")
        assert await answer.json() == document()


async def test_it_is_sent_packed_where_that_is_understood():
    async with listening() as session, session.get("/openapi.json", headers={"Accept-Encoding": "gzip"}) as answer:
        assert json.loads(gzip.decompress(await answer.read())) == openapi()


async def test_nobody_without_the_token_may_do_anything_else_to_it():
    async with listening() as session, session.post("/openapi.json") as answer:
        assert answer.status == 401
