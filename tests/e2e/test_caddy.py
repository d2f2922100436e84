"""A callback, and the page, through a real Caddy over TLS, with the Caddyfile that `smsbus init` writes."""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.e2e.program import ADMIN_TOKEN, TOKEN, Replica, eventually, free_port
from tests.e2e.test_handed_over import managing

pytestmark = [
    pytest.mark.installation,
    pytest.mark.timeout(120),
    pytest.mark.skipif(shutil.which("caddy") is None, reason="caddy is not installed"),
]
DOMAIN, PAGE = "localhost", "page.localhost"
NAME = "sms.localhost"  # init wants a dot, and not every resolver knows this one
BODY = (
    '{"app":"jd","from":"14160000000","to":"16470000000","userId":"xxx","text":"[jd] code is 5611",'
    '"time":"2021-03-25T03:17:06.050Z"}'
)
# What a machine without a name and a way to the internet needs besides: its own authority, other ports, no admin API.
ALONE = """{{
	admin off
	http_port {http}
	https_port {https}
	local_certs
	skip_install_trust
	auto_https disable_redirects
	storage file_system {storage}
"""


class Proxy(NamedTuple):
    """A Caddy that runs."""

    port: int
    authority: Path
    log: Path

    async def curl(self, url: str, *arguments: str) -> tuple[int, str]:
        """Ask it; return the status and the body."""
        host = url.split("/")[2]
        command = ["curl", "-sS", "--max-time", "30", "--cacert", str(self.authority), "-w", "\n%{http_code}"]
        where = ["--connect-to", f"{host}:443:127.0.0.1:{self.port}", *arguments, url]
        process = await asyncio.create_subprocess_exec(
            *command, *where, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        out, err = await process.communicate()
        assert process.returncode == 0, err.decode()
        body, _, status = out.decode().rpartition("\n")
        return int(status), body


@asynccontextmanager
async def caddy(smsbus, replica: Replica, directory: Path) -> AsyncIterator[Proxy]:
    written = await smsbus.run(
        "init", "--systemd", "--domain", NAME, "--page", PAGE, "--yes", "--dir", str(directory / "init")
    )
    assert written.code == 0, written.err
    storage, log, port = directory / "storage", directory / "caddy.log", free_port()
    text = (directory / "init" / "etc" / "caddy" / "Caddyfile").read_text().replace(f"{NAME} {{", f"{DOMAIN} {{")
    text = text.replace("127.0.0.1:8080", replica.url.split("/")[2]).replace("127.0.0.1:8081", replica.admin[7:])
    text = text.replace("{\n", ALONE.format(http=free_port(), https=port, storage=storage), 1)
    (directory / "Caddyfile").write_text(text)
    with log.open("wb") as to:
        process = await asyncio.create_subprocess_exec(
            "caddy",
            *("run", "--adapter", "caddyfile", "--config", str(directory / "Caddyfile")),
            env={"HOME": str(directory), "PATH": "/usr/bin:/bin"},
            stdout=to,
            stderr=to,
        )
    proxy = Proxy(port, storage / "pki" / "authorities" / "local" / "root.crt", log)
    try:
        await eventually(lambda: _serves(proxy), 30, "Caddy serves")
        yield proxy
    finally:
        process.terminate()
        await process.wait()


async def _serves(proxy: Proxy) -> bool:
    try:
        return (await proxy.curl(f"https://{DOMAIN}/"))[0] == 404
    except AssertionError:
        return False


async def test_a_callback_comes_through_over_tls_and_nothing_else_of_the_receiver(smsbus, tmp_path):
    replica = await smsbus.serve()
    async with caddy(smsbus, replica, tmp_path) as proxy:
        status, said = await proxy.curl(f"https://{DOMAIN}/v1/pingme/{TOKEN}", "-d", BODY)
        wrong, _ = await proxy.curl(f"https://{DOMAIN}/v1/pingme/not-a-token", "-d", BODY)
        (tmp_path / "large").write_bytes(b"x" * 300_000)
        large, _ = await proxy.curl(f"https://{DOMAIN}/v1/pingme/{TOKEN}", "-d", f"@{tmp_path / 'large'}")
        others = [(await proxy.curl(f"https://{DOMAIN}{path}"))[0] for path in ("/livez", "/metrics", "/v1/sms")]
        shown = await smsbus.run("tail", "--json", "-n", "1")

    assert (status, '"accepted"' in said) == (200, True)
    assert '"code":"5611"' in re.sub(r'": "', '":"', shown.out)
    assert (wrong, others) == (404, [404, 404, 404])
    assert large in {413, 502}  # it answers before the body has ended, which Caddy may call a bad gateway


async def test_callback_test_says_what_is_known_of_the_public_url(smsbus, tmp_path, monkeypatch):
    replica = await smsbus.serve()
    async with caddy(smsbus, replica, tmp_path) as proxy:
        url = {"RECEIVER__PUBLIC_URL": f"https://{DOMAIN}:{proxy.port}"}
        stranger = await smsbus.run("callback", "test", "shop", **url)
        monkeypatch.setenv("SSL_CERT_FILE", str(proxy.authority))
        tested = await smsbus.run("callback", "test", "shop", **url)

    assert stranger.code == 1
    assert "certificate: unable to get local issuer certificate" in stranger.err
    assert tested.code == 0, tested.err
    for known in (f"DNS: {DOMAIN} is ", f"certificate: for {DOMAIN}, valid for 0 more days", "200 after", "404 after"):
        assert known in tested.out
    assert "not proven" in tested.err
    assert TOKEN not in tested.out + tested.err + stranger.err


async def test_no_line_of_caddy_has_the_secret_path(smsbus, tmp_path):
    replica = await smsbus.serve()
    async with caddy(smsbus, replica, tmp_path) as proxy:
        await replica.terminate()
        # In HTTP/2 Caddy may also reset the stream, since nobody reads the body: then curl has no status.
        status, _ = await proxy.curl(f"https://{DOMAIN}/v1/pingme/{TOKEN}", "--http1.1", "-d", BODY)
        log = proxy.log.read_text()

    assert status == 502
    assert "connection refused" in log, "an error that was logged"
    assert TOKEN not in log


async def test_a_callback_waits_while_the_service_is_restarted(smsbus, tmp_path):
    async with managing(smsbus, tmp_path) as manager:
        old = await manager.start()
        async with caddy(smsbus, old, tmp_path) as proxy:
            await proxy.curl(f"https://{DOMAIN}/v1/pingme/{TOKEN}", "-d", BODY)  # a connection that it keeps
            await old.terminate()
            asked = asyncio.create_task(proxy.curl(f"https://{DOMAIN}/v1/pingme/{TOKEN}", "-d", BODY))
            await manager.start()
            status, said = await asked

    assert (status, '"status"' in said) == (200, True)


async def test_the_page_has_a_host_name_of_its_own_and_health_needs_a_token_there(smsbus, tmp_path):
    replica = await smsbus.serve()
    bearer = ("-H", f"Authorization: Bearer {ADMIN_TOKEN}")
    async with caddy(smsbus, replica, tmp_path) as proxy:
        page = await proxy.curl(f"https://{PAGE}/")
        listed = await proxy.curl(f"https://{PAGE}/v1/sms", *bearer)
        strangers = [
            (await proxy.curl(f"https://{PAGE}{path}", *header))[0]
            for path in ("/metrics", "/readyz", "/livez", "/v1/sms")
            for header in ((), ("-H", "Authorization: Bearer x"))
        ]
        ours = [(await proxy.curl(f"https://{PAGE}{path}", *bearer))[0] for path in ("/metrics", "/readyz")]

    assert (page[0], "<html" in page[1], listed[0]) == (200, True, 200)
    assert set(strangers) == {401}
    assert ours == [200, 200]
