"""The named endpoints of `vst app`: the examples of docs/api.md run against a real server."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.browser import app
from vst.samples import write_content

pytest.importorskip("gradio")
import httpx
from gradio_client import Client
from gradio_client.exceptions import AppError

from vst.web.calls import POOLED, QUICK, READING
from vst.web.endpoints import ENDPOINTS, UNREAD_EACH, UNREAD_SESSIONS, EndpointFilter, has_file

PAGE = Path(__file__).parent.parent / "docs" / "api.md"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with app(tmp_path_factory.mktemp("server")) as found:
        yield found


@pytest.fixture
def client(address: str) -> Client:
    return Client(address, verbose=False, analytics_enabled=False)


def read_example(language: str, address: str) -> str:
    """The page's example, with the test server's address."""
    found = re.search(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    return found[1].replace("http://127.0.0.1:7860", address)


@pytest.mark.slow
@pytest.mark.parametrize("language", ["python", "bash"])
def test_the_example_of_the_page_paints_a_video(
    language: str, address: str, tmp_path: Path
) -> None:
    if language == "bash" and not (shutil.which("curl") and shutil.which("jq")):
        pytest.skip("needs curl and jq")
    write_content(tmp_path / "holiday.mp4", width=320, height=180, duration=0.5)
    start = [sys.executable, "-c"] if language == "python" else ["bash", "-euc"]
    subprocess.run([*start, read_example(language, address)], cwd=tmp_path, check=True, timeout=240)
    assert (tmp_path / "moment.jpg").read_bytes()[:2] == b"\xff\xd8"
    assert (tmp_path / "painted.mp4").stat().st_size > 10_000


def test_every_endpoint_is_described_with_its_parameters(client: Client) -> None:
    about = client.view_api(return_format="dict")["named_endpoints"]
    assert {name.removeprefix("/") for name in about} == {*QUICK, *POOLED, *READING}
    for name, parameters in ENDPOINTS.items():
        listed = [one["parameter_name"] for one in about[f"/{name}"]["parameters"]]
        assert listed == ["token", *parameters]
        assert f"`/{name}`" in PAGE.read_text(encoding="utf-8")


def test_errors_have_the_pages_message(client: Client) -> None:
    token = client.predict(api_name="/start")["token"]
    with pytest.raises(AppError, match="upload it again"):
        client.predict(token, content="x", keys=[], api_name="/paint")
    with pytest.raises(AppError, match="load the page again"):
        client.predict("x", api_name="/tasks")


@pytest.mark.parametrize(
    "path", ["upload", "file=/etc/passwd", "run/start", "proxy=http://x", "cancel", "reset"]
)
def test_the_rest_of_gradio_is_closed(address: str, path: str) -> None:
    assert httpx.get(f"{address}/gradio_api/{path}").status_code == 404
    assert httpx.post(f"{address}/gradio_api/{path}", json={}).status_code == 404


def test_a_file_dictionary_is_refused_however_it_is_written(address: str) -> None:
    trap = json.dumps({"data": [{"x": [{"path": "/etc/passwd", "meta": {}}]}]})
    for text in (trap, trap.replace("meta", "\\u006deta")):
        headers = {"content-type": "application/json"}
        reply = httpx.post(f"{address}/gradio_api/call/start", content=text, headers=headers)
        assert (reply.status_code, "docs/api.md" in reply.text) == (400, True)


def test_values_without_files_pass() -> None:
    assert not has_file({"data": ["token", [{"style": "@ink-wash", "at": 0}], {"size": 1}, None]})


def test_unfetched_answers_are_bounded() -> None:
    queue = SimpleNamespace(pending_event_ids_session={}, pending_messages_per_session={})
    server = SimpleNamespace(get_blocks=lambda: SimpleNamespace(_queue=queue))
    gate = EndpointFilter(None, server)  # type: ignore[arg-type]
    waiting = queue.pending_event_ids_session
    waiting["greedy"] = set(range(UNREAD_EACH))
    assert not gate.has_room({"session_hash": "greedy"})
    waiting |= {f"other-{index}": {0} for index in range(UNREAD_SESSIONS - 1)}
    assert gate.has_room({"session_hash": "greedy"})  # its answers were the oldest
    assert "greedy" not in waiting and len(waiting) == UNREAD_SESSIONS - 1
