"""Keeps what the server must find again after it was killed: sessions, files, styles and jobs, as
JSON in one SQLite file of the state folder.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from pathlib import Path
from typing import Any

from vst.core.locks import Lock
from vst.core.paths import find_state_folder
from vst.errors import OutputError, UsageError

VERSION = 1
"""Version of the table; a file of another version is emptied."""
NAME = "page.sqlite"


def get_default_folder(port: int) -> Path:
    """Return the state folder of a server on this port."""
    return find_state_folder() / f"page-{port}"


class Store:
    """Documents, each with its session, its kind and its id. One server uses a folder at a time.

    Raises `UsageError` if another server uses ``folder``.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            self._file_lock = Lock(folder / "lock", str(folder))
        except OutputError as error:
            raise UsageError(
                f"state folder {str(folder)!r} is used by another server; give another one with "
                "--state"
            ) from error
        self._lock = threading.Lock()
        self._base = sqlite3.connect(folder / NAME, check_same_thread=False, isolation_level=None)
        # A killed process loses nothing in this mode; only a power cut can lose the last entries.
        self._base.execute("PRAGMA journal_mode=WAL")
        self._base.execute("PRAGMA synchronous=NORMAL")
        if self._base.execute("PRAGMA user_version").fetchone()[0] != VERSION:
            self._base.execute("DROP TABLE IF EXISTS documents")
            self._base.execute(f"PRAGMA user_version={VERSION}")
        self._base.execute(
            "CREATE TABLE IF NOT EXISTS documents (session TEXT, kind TEXT, id TEXT, body TEXT, "
            "PRIMARY KEY (session, kind, id))"
        )

    def put(self, session: str, kind: str, number: str, body: dict[str, Any]) -> None:
        """Write a document, or replace it."""
        with self._lock:
            self._base.execute(
                "INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?)",
                (session, kind, number, json.dumps(body)),
            )

    def drop(self, session: str, kind: str, number: str) -> None:
        """Delete a document, if it exists."""
        with self._lock:
            self._base.execute(
                "DELETE FROM documents WHERE session=? AND kind=? AND id=?", (session, kind, number)
            )

    def drop_session(self, session: str) -> None:
        """Delete every document of a session."""
        with self._lock:
            self._base.execute("DELETE FROM documents WHERE session=?", (session,))

    def read(self, kind: str) -> list[tuple[str, str, dict[str, Any]]]:
        """Return session, id and body of each document of a kind, the oldest first."""
        with self._lock:
            rows = self._base.execute(
                "SELECT session, id, body FROM documents WHERE kind=? ORDER BY rowid", (kind,)
            ).fetchall()
        return [(session, number, json.loads(body)) for session, number, body in rows]

    def close(self) -> None:
        """Close the file and release the folder."""
        with self._lock:
            self._base.close()
        self._file_lock.release()
