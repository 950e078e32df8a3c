"""Tokens come from where the configuration says, and are renewed before and when the server refuses them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from lightkube.config.models import User

from berth.kube.credentials import Credentials
from berth.kube.errors import ConfigurationError
from tests.aio.virtual_time import run_virtual
from tests.kube.support import plain_config


def credentials(**user: Any) -> Credentials:
    return Credentials(plain_config("https://k8s.example", msgspec.convert(user, User)))


def test_without_a_user_there_is_no_header() -> None:
    async def main() -> None:
        anonymous = Credentials(plain_config("https://k8s.example"))
        assert await anonymous.header() == ""
        assert not await anonymous.renew("")

    asyncio.run(main())


def test_a_fixed_token_has_no_other() -> None:
    async def main() -> None:
        fixed = credentials(token="secret")
        assert await fixed.header() == "Bearer secret"
        assert not await fixed.renew("Bearer secret")

    asyncio.run(main())


def test_a_password_is_basic() -> None:
    assert asyncio.run(credentials(username="u", password="p").header()) == "Basic dTpw"


def test_a_token_file_is_read_again_every_minute_and_when_refused(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("first\n")

    async def main() -> None:
        rotated = credentials(tokenFile=str(file))
        assert await rotated.header() == "Bearer first"
        file.write_text("second\n")
        assert await rotated.header() == "Bearer first"
        await asyncio.sleep(61)
        assert await rotated.header() == "Bearer second"
        file.write_text("third\n")
        assert await rotated.renew("Bearer second")
        assert await rotated.header() == "Bearer third"
        assert not await rotated.renew("Bearer third")
        file.unlink()
        await asyncio.sleep(61)
        assert await rotated.header() == "Bearer third"

    run_virtual(main())


def test_requests_refused_together_renew_once(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("first")

    async def main() -> None:
        rotated = credentials(tokenFile=str(file))
        refused = await rotated.header()
        file.write_text("second")
        assert await asyncio.gather(*(rotated.renew(refused) for _ in range(5))) == [True] * 5
        assert await rotated.header() == "Bearer second"

    asyncio.run(main())


def test_a_missing_token_file_is_named(tmp_path: Path) -> None:
    async def main() -> None:
        with pytest.raises(ConfigurationError, match=f"no token for https://k8s.example: Token file {tmp_path}/token"):
            await credentials(tokenFile=f"{tmp_path}/token").header()

    asyncio.run(main())


def test_a_plugin_is_asked_again_when_its_token_is_refused(tmp_path: Path) -> None:
    answer = json.dumps({"status": {"token": "T"}})
    script = f"echo x >> {tmp_path}/runs; echo '{answer}' | sed s/T/token-$(wc -l < {tmp_path}/runs)/"
    plugin = {"apiVersion": "client.authentication.k8s.io/v1beta1", "command": "sh", "args": ["-c", script]}

    async def main() -> None:
        plugged = credentials(exec=plugin)
        assert await plugged.header() == "Bearer token-1"
        assert await plugged.header() == "Bearer token-1"
        assert await plugged.renew("Bearer token-1")
        assert await plugged.header() == "Bearer token-2"

    asyncio.run(main())


@pytest.mark.parametrize("command", ["no-such-plugin", "false"])
def test_a_plugin_that_fails_is_told(command: str) -> None:
    plugin = {"apiVersion": "client.authentication.k8s.io/v1beta1", "command": command}

    async def main() -> None:
        with pytest.raises(ConfigurationError, match=f"no token for https://k8s.example: .*{command}"):
            await credentials(exec=plugin).header()

    asyncio.run(main())
