"""The functions that the page calls: JSON values in, JSON values out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import anyio.to_thread

from vst import __version__
from vst.core.fields import check_option
from vst.errors import UsageError, VSTError
from vst.job import Job
from vst.keyframes import PICKERS
from vst.styles.library import load_builtin_styles
from vst.styles.resolve import PICTURE_SUFFIXES
from vst.web.form import list_controls
from vst.web.gif import make_gif
from vst.web.marks import find_marks
from vst.web.preview_pool import PreviewPool, Replaced
from vst.web.previews import Previews, encode_data_url
from vst.web.project import open_project, pack_project
from vst.web.queue import TaskQueue
from vst.web.samples import RECIPES, add_sample
from vst.web.sessions import FILM_SUFFIXES, Session, SessionGone, Sessions
from vst.web.tasks import create_measure_task, create_paint_task

QUICK = ("start", "forget", "paint", "measure", "tasks", "report", "cancel", "remove", "sample")
"""Functions that answer at once."""
POOLED = ("styles", "curves", "frame", "clip", "estimate", "mask", "box")
"""Functions that paint; they wait in the pool of the previews."""
READING = ("marks", "gif", "pack", "unpack")
"""Functions that read whole files; they wait in a pool of their own."""
WAITED = {
    "styles": "keyframes of another file are still being sought",
    "gif": "another GIF is still being made",
    "pack": "another project is still being saved",
    "unpack": "another project is still being opened",
}
"""Functions whose requests are not replaced by newer ones, and why another has to wait."""
THREADS = 8
"""Threads for the quick functions."""
FIELDS = {name: Job.__dataclass_fields__[name] for name in ("keyframes", "picker")}

log = logging.getLogger(__name__)
Values = dict[str, Any]


class Calls:
    """The page's functions: a session's token and JSON values in, JSON values out."""

    def __init__(
        self, sessions: Sessions, previews: Previews, pool: PreviewPool, queue: TaskQueue
    ) -> None:
        self.sessions, self.previews, self.pool, self.queue = sessions, previews, pool, queue
        self.reading = PreviewPool()
        self._limiter = anyio.CapacityLimiter(THREADS)

    async def answer(self, name: str, token: object, sent: Values, address: str) -> Values:
        """Call a listed function by its name; return an error as one line for the visitor."""
        session: Session | None = None
        try:
            if name == "start":
                return await self.run_quick(self.start, token, address)
            session = self.sessions.find(token)
            function: Callable[..., Values] = getattr(self, name)
            if name in (*POOLED, *READING):
                return await self.run_pooled(name, function, session, sent)
            return await self.run_quick(function, session, sent)
        except Replaced:
            return {"replaced": True}
        except SessionGone as error:
            return {"error": str(error), "gone": True}
        except VSTError as error:
            text = str(error)
            return {"error": session.hide_paths(text) if session is not None else text}
        except Exception as error:
            log.exception("%s failed", name)
            return {"error": f"unexpected {type(error).__name__}; the server's log says more"}

    async def run_quick(self, function: Callable[..., Values], *given: Any) -> Values:
        """Run a function in a thread."""
        return await anyio.to_thread.run_sync(function, *given, limiter=self._limiter)

    async def run_pooled(
        self, name: str, function: Callable[..., Values], session: Session, sent: Values
    ) -> Values:
        """Run a function in its pool; the newest call of a visitor replaces a waiting one."""
        key = (session.token, name)
        pool = self.reading if name in READING else self.pool
        if name in WAITED and pool.waits(key):
            raise UsageError(f"{WAITED[name]}; wait until it is done")
        future = pool.submit(session.address, key, lambda: function(session, sent))
        found: Values = await asyncio.wrap_future(future)
        return found

    def start(self, token: object, address: str) -> Values:
        """Return what the page shows when it loads; open a new session if the token's is gone."""
        known = self.sessions.sessions.get(token) if isinstance(token, str) else None
        session = known or self.sessions.open(address)
        self.queue.forget(lambda one: one.token not in self.sessions.sessions)
        self.sessions.find(session.token)
        builtin = [
            {"name": style.name, "about": style.description}
            for style in load_builtin_styles().values()
        ]
        limits = session.limits
        return {
            "version": __version__,
            "token": session.token,
            "controls": list_controls(),
            "keyframes": {
                "default": FIELDS["keyframes"].default,
                "picker": FIELDS["picker"].default,
                "pickers": [name for name in PICKERS if name != "manual"],
            },
            "builtin": builtin,
            "recipes": RECIPES,
            "limits": {
                "upload": limits.upload,
                "length": limits.length,
                "kept": limits.kept,
                "project": limits.project,
                "keyframes": limits.keyframes,
            },
            "accept": {
                "content": ",".join(sorted(FILM_SUFFIXES)),
                "style": ",".join(sorted(FILM_SUFFIXES | PICTURE_SUFFIXES)),
            },
            "files": [kept.as_dict() for kept in list(session.files.values())],
            "styles": [style.as_dict() for style in list(session.styles.values())],
            **self.tasks(session, {}),
        }

    def styles(self, session: Session, sent: Values) -> Values:
        """Take the keyframes of an uploaded style."""
        count = sent.get("keyframes", FIELDS["keyframes"].default)
        picker = sent.get("picker", FIELDS["picker"].default)
        if not isinstance(count, int) or isinstance(count, bool):
            raise UsageError(f"keyframes {count!r}; give a whole number")
        if count > session.limits.keyframes:
            raise UsageError(f"{count} keyframes; the page accepts {session.limits.keyframes}")
        check_option("keyframes", count, FIELDS["keyframes"].metadata)
        check_option("picker", picker, FIELDS["picker"].metadata)
        found = self.previews.take_styles(session, session.file(sent.get("file")), count, picker)
        return {"styles": [style.as_dict() for style in found]}

    def sample(self, session: Session, sent: Values) -> Values:
        """Put the sample clip into the session, as if it had been uploaded."""
        return add_sample(session).as_dict()

    def forget(self, session: Session, sent: Values) -> Values:
        """Delete an uploaded file that no unfinished job needs."""
        file = session.file(sent.get("file"))
        if self.queue.is_busy(session):
            raise UsageError("a job is still running; its files can be removed when it is done")
        session.forget(file.id)
        return {}

    def curves(self, session: Session, sent: Values) -> Values:
        """Sample the weights of the styles along the content."""
        return self.previews.sample_curves(session, sent)

    def marks(self, session: Session, sent: Values) -> Values:
        """Find the cuts and the beats of a content."""
        file = session.file(sent.get("file"))
        if file.id not in session.marks:
            session.marks[file.id] = find_marks(file)
        return session.marks[file.id]

    def gif(self, session: Session, sent: Values) -> Values:
        """Make a GIF of a job's painting."""
        task = self.queue.task(session, sent.get("id"))
        if task.state != "done" or task.kind != "paint":
            raise UsageError("this job has no painting: it is not done. Wait until it is.")
        return make_gif(session, task).as_dict()

    def pack(self, session: Session, sent: Values) -> Values:
        """Save the form with its files as one file."""
        return pack_project(session, sent).as_dict()

    def unpack(self, session: Session, sent: Values) -> Values:
        """Open an uploaded project."""
        file = session.file(sent.get("file"))
        if file.role != "project":
            raise UsageError(f"{file.name} was not uploaded as a project")
        return open_project(session, file)

    def close(self) -> None:
        """End the threads."""
        self.reading.close()

    def frame(self, session: Session, sent: Values) -> Values:
        """Paint one frame; return it as filmed and painted."""
        found = self.previews.paint_frame(session, sent)
        packed = {name: encode_data_url(found[name], "image/jpeg") for name in ("before", "after")}
        return {**found, **packed}

    def clip(self, session: Session, sent: Values) -> Values:
        """Paint small frames along the transition."""
        found = self.previews.paint_clip(session, sent)
        frames = [encode_data_url(packed, "image/jpeg") for packed in found["frames"]]
        return {**found, "frames": frames}

    def mask(self, session: Session, sent: Values) -> Values:
        """Return the mask that drawn ones make of the frame at a time: white on black, PNG."""
        return self.previews.find_mask(session, sent)

    def box(self, session: Session, sent: Values) -> Values:
        """Return the mask of what is in a box of the frame at a time, as `mask` does."""
        return self.previews.cut_box(session, sent)

    def estimate(self, session: Session, sent: Values) -> Values:
        """Estimate the time and the size of a rendering."""
        return self.previews.estimate(session, sent)

    def paint(self, session: Session, sent: Values) -> Values:
        """Add a job to the queue."""
        self.queue.check_room(session)
        task = create_paint_task(session, sent, run_job=self.queue.run_job)
        return {"id": self.queue.add_or_clear(task).id}

    def measure(self, session: Session, sent: Values) -> Values:
        """Add a measurement to the queue."""
        self.queue.check_room(session)
        return {"id": self.queue.add_or_clear(create_measure_task(session, self.queue, sent)).id}

    def tasks(self, session: Session, sent: Values) -> Values:
        """List the session's jobs, and how much of the space the files take."""
        found = [
            {**task.as_dict(), "ahead": self.queue.ahead_of(task)}
            for task in self.queue.list_of(session)
        ]
        return {"tasks": found, "bytes": session.bytes_used()}

    def report(self, session: Session, sent: Values) -> Values:
        """Return the report of a measurement as HTML."""
        task = self.queue.task(session, sent.get("id"))
        if "html" not in task.outcome:
            raise UsageError("this job has no report: it measures nothing, or is not done.")
        return {"html": task.outcome["html"]}

    def cancel(self, session: Session, sent: Values) -> Values:
        """Stop a job."""
        self.queue.cancel(self.queue.task(session, sent.get("id")))
        return {}

    def remove(self, session: Session, sent: Values) -> Values:
        """Remove a finished job from the list, with its files."""
        self.queue.remove(self.queue.task(session, sent.get("id")))
        return {}
