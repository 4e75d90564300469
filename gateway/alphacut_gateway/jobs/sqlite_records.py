"""Jobs and what there is to do for them in SQLite: in a file, or in memory alone."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from alphacut_core.errors import ContractError
from alphacut_gateway.jobs.job import Job, Kind
from alphacut_gateway.refusals import BusyError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS job (
    id TEXT PRIMARY KEY, text TEXT NOT NULL, image BLOB, result BLOB, expires_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS room (job_id TEXT PRIMARY KEY, n_bytes INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS key (caller TEXT, name TEXT, job_id TEXT NOT NULL, PRIMARY KEY (caller, name));
CREATE TABLE IF NOT EXISTS task (
    kind TEXT NOT NULL, job_id TEXT NOT NULL, due_at REAL NOT NULL, PRIMARY KEY (kind, job_id)
);
CREATE INDEX IF NOT EXISTS task_due ON task (due_at);
"""
_LOCKED_FOR_S = 30.0
_EXPIRE_EVERY_S = 10.0

_Value = TypeVar("_Value")


def check(file: Path | None) -> None:
    """Refuse a file that cannot keep jobs.

    Raises:
        ContractError: It can be neither made nor opened, or is no database.
    """
    _opened(file).close()


def _opened(file: Path | None) -> sqlite3.Connection:
    try:
        if file is not None:
            file.touch(mode=0o600)
        database = sqlite3.connect(
            file or ":memory:", timeout=_LOCKED_FOR_S, isolation_level="IMMEDIATE", check_same_thread=False
        )
        with contextlib.ExitStack() as stack:
            stack.callback(database.close)
            database.executescript(f"PRAGMA journal_mode=WAL; PRAGMA secure_delete=ON; {_SCHEMA}")
            stack.pop_all()
    except (OSError, sqlite3.Error) as error:
        raise ContractError(f"cannot keep jobs in {file} ({error}); name a file of this user's in a folder") from error
    return database


class SqliteRecords:
    """Jobs of one machine; see ``alphacut_gateway.jobs.records.Records`` and ``Queue``.

    A task that somebody has begun is due again when its lease is over and they have not postponed it: if they are
    killed, another takes it up.

    Args:
        file: Where they are kept, readable by this user alone; None for memory, which nobody else sees and no end
            of this process leaves anything of.
        keep_s: How long jobs are kept after the last change.
        lease_s: After how long without a word a task is another's.
        max_bytes: The most that images and results take together. One job is let in when there is no other.
        clock: Seconds since 1970.

    Raises:
        ContractError: The file cannot be used.
    """

    def __init__(
        self, file: Path | None, *, keep_s: int, lease_s: float, max_bytes: int, clock: Callable[[], float] = time.time
    ) -> None:
        self.durable = file is not None
        self._keep_s = keep_s
        self.lease_s = lease_s
        self._max_bytes = max_bytes
        self._clock = clock
        self._expire_at = 0.0
        self._lock = threading.Lock()
        self._database = _opened(file)

    async def create(self, job: Job, image: bytes, idempotency_key: str, result_bytes: int) -> Job:
        """Keep a job, its key and room for its result, in one transaction."""

        def insert(database: sqlite3.Connection) -> Job:
            self._expire(database)
            known = database.execute(
                "SELECT text FROM job WHERE id = (SELECT job_id FROM key WHERE caller = ? AND name = ?)",
                (job.caller, idempotency_key),
            ).fetchone()
            if known is not None and idempotency_key:
                return Job.from_text(known[0])
            self._check_room(database, len(image) + result_bytes)
            database.execute(
                "INSERT INTO job VALUES (?, ?, ?, NULL, ?)", (job.id, job.to_text(), image, self._expires_at())
            )
            database.execute("INSERT INTO room VALUES (?, ?)", (job.id, result_bytes))
            if idempotency_key:
                database.execute("INSERT OR REPLACE INTO key VALUES (?, ?, ?)", (job.caller, idempotency_key, job.id))
            return job

        return await self._transaction(insert)

    async def put(self, kind: Kind, job_id: str) -> None:
        """Keep that there is something to do, now."""
        await self._transaction(
            lambda database: database.execute(
                "INSERT OR IGNORE INTO task VALUES (?, ?, ?)", (kind, job_id, self._clock())
            )
        )

    async def take(self, kind: Kind) -> tuple[Kind, str] | None:
        """Return something of a kind that is due, for the time of a lease; None where nothing is."""

        def lease(database: sqlite3.Connection) -> tuple[Kind, str] | None:
            now = self._clock()
            if now >= self._expire_at:
                self._expire(database)
                self._expire_at = now + _EXPIRE_EVERY_S
            rows = database.execute(
                "UPDATE task SET due_at = ? WHERE rowid = "
                "(SELECT rowid FROM task WHERE kind = ? AND due_at <= ? ORDER BY due_at LIMIT 1) "
                "RETURNING kind, job_id",
                (now + self.lease_s, kind, now),
            ).fetchall()
            return (rows[0][0], rows[0][1]) if rows else None

        return await self._transaction(lease)

    async def postpone(self, kind: Kind, job_id: str, delay_s: float) -> None:
        """Let a task that was taken be due again after a while."""
        due_at = self._clock() + delay_s
        await self._transaction(
            lambda database: database.execute(
                "UPDATE task SET due_at = ? WHERE kind = ? AND job_id = ?", (due_at, kind, job_id)
            )
        )

    async def complete(self, kind: Kind, job_id: str) -> None:
        """Forget a task that was taken."""
        await self._transaction(
            lambda database: database.execute("DELETE FROM task WHERE kind = ? AND job_id = ?", (kind, job_id))
        )

    async def read(self, job_id: str) -> Job | None:
        """Return a job."""
        text = await self._column("text", job_id)
        return None if text is None else Job.from_text(text)

    async def image(self, job_id: str) -> bytes | None:
        """Return a job's image."""
        return await self._column("image", job_id)

    async def result(self, job_id: str) -> bytes | None:
        """Return a job's result."""
        return await self._column("result", job_id)

    async def write(self, job: Job) -> None:
        """Keep a job's state."""

        def update(database: sqlite3.Connection) -> None:
            kept = _kept(database, job.id)
            if kept is not None and job.supersedes(kept):
                database.execute(
                    "UPDATE job SET text = ?, expires_at = ? WHERE id = ?", (job.to_text(), self._expires_at(), job.id)
                )

        await self._transaction(update)

    async def finish(self, job: Job, result: bytes | None) -> None:
        """Keep a job's end."""

        def update(database: sqlite3.Connection) -> None:
            kept = _kept(database, job.id)
            if kept is None or kept.ended:
                return
            database.execute(
                "UPDATE job SET text = ?, image = NULL, result = ?, expires_at = ? WHERE id = ?",
                (job.to_text(), result, self._expires_at(), job.id),
            )
            database.execute("DELETE FROM room WHERE job_id = ?", (job.id,))

        await self._transaction(update)

    async def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    def _expires_at(self) -> float:
        return self._clock() + self._keep_s

    def _expire(self, database: sqlite3.Connection) -> None:
        database.execute("DELETE FROM job WHERE expires_at <= ?", (self._clock(),))
        for table in ("key", "room"):
            database.execute(f"DELETE FROM {table} WHERE job_id NOT IN (SELECT id FROM job)")  # noqa: S608  ours

    def _check_room(self, database: sqlite3.Connection, n_bytes: int) -> None:
        (held,) = database.execute(
            "SELECT (SELECT coalesce(sum(coalesce(length(image), 0) + coalesce(length(result), 0)), 0) FROM job)"
            " + (SELECT coalesce(sum(n_bytes), 0) FROM room)"
        ).fetchone()
        if held and held + n_bytes > self._max_bytes:
            raise BusyError(
                f"jobs hold {held:,} of {self._max_bytes:,} bytes and this one may need {n_bytes:,} with its result; "
                "send it again when some have ended or expired"
            )

    async def _column(self, name: str, job_id: str) -> bytes | None:
        def select(database: sqlite3.Connection) -> bytes | None:
            row = database.execute(
                f"SELECT {name} FROM job WHERE id = ? AND expires_at > ?",  # noqa: S608  a name of ours
                (job_id, self._clock()),
            ).fetchone()
            return None if row is None else row[0]

        return await self._transaction(select)

    async def _transaction(self, function: Callable[[sqlite3.Connection], _Value]) -> _Value:
        def run() -> _Value:
            with self._lock, self._database:
                return function(self._database)

        return await asyncio.to_thread(run)


def _kept(database: sqlite3.Connection, job_id: str) -> Job | None:
    row = database.execute("SELECT text FROM job WHERE id = ?", (job_id,)).fetchone()
    return None if row is None else Job.from_text(row[0])
