"""Workers on the machines of a Ray cluster, and what becomes of the tasks that they are given.

Ray starts the workers, carries orders and results, starts a worker again that has died and repeats
its task. Here stand only: which machines get workers, one task for each worker at a time, and that
the tasks of a machine that is gone go to the others.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from vst.cluster.tasks import CORES, LOCAL, TRIES, ChunkOrder, ClusterSettings, Task
from vst.cluster.worker import Worker
from vst.errors import (
    DependencyError,
    EngineError,
    MediaError,
    OutputError,
    StalledError,
    VSTError,
)

RETRIED = [EngineError, MediaError, OutputError, StalledError, MemoryError]
"""Errors of a task after which it is tried again; others come again however often it is tried."""
POLL_SECONDS = 0.5
"""Seconds between two looks at whether the user wants to stop."""
NODE_POLL_SECONDS = 5.0
"""Seconds between two looks at which machines there are."""
DIED = "the worker died, or its machine was lost, each time; it may lack memory"
NO_WORKER_SECONDS = 120.0
"""Seconds without any worker after which the job is given up."""


@dataclass(frozen=True)
class TaskOutcome:
    """What became of a task: what the worker returned, or why it failed after all tries."""

    task: Task
    value: Any = None
    error: VSTError | None = None


def import_ray() -> Any:
    """Ray, if it is installed."""
    try:
        import ray
    except ImportError as error:
        raise DependencyError(
            "--cluster needs Ray, which is not installed; install it with: "
            "pip install 'vst[cluster]'"
        ) from error
    return ray


class WorkerPool:
    """The workers. Opening it connects to the cluster (or starts one on this machine); leaving it
    ends the workers, and the cluster if it was started here.
    """

    def __init__(self, settings: ClusterSettings) -> None:
        self.settings = settings
        self._ray = import_ray()
        self._order: Any = None
        self._sent: dict[str, Any] = {}
        self._actors: dict[Any, str] = {}  # -> node
        self._joining: dict[Any, Any] = {}  # what says that it is ready -> actor
        self._idle: list[Any] = []
        self._looked = 0.0
        self._refusing: set[str] = set()
        self._started = False

    def __enter__(self) -> WorkerPool:
        if not self._ray.is_initialized():
            self._connect()
            self._started = True
        return self

    def _connect(self) -> None:
        quiet = {"configure_logging": False, "log_to_driver": False, "logging_level": logging.ERROR}
        address = self.settings.address
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to anybody
        ending = signal.getsignal(signal.SIGTERM)
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        try:
            if address == LOCAL:
                workers = self.settings.workers
                wanted = workers * self.cores if workers else None
                # "local", for without an address Ray joins any cluster that it finds here.
                self._ray.init("local", num_cpus=wanted, include_dashboard=False, **quiet)
            else:
                self._ray.init(address=address, **quiet)
        except Exception as error:  # Ray raises many kinds, and the bare one too
            text = str(error).strip().splitlines()[0] if str(error).strip() else ""
            raise VSTError(
                f"cluster {address!r} cannot be reached ({text}); give {LOCAL!r}, or the address "
                "that 'ray start --head' said on the first machine"
            ) from error
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, ending)  # Ray has put its own in place of this program's

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        closing = [actor.close.remote() for actor in self._idle]
        if closing:
            self._ray.wait(closing, num_returns=len(closing), timeout=5.0)
        for actor in self._actors:
            self._ray.kill(actor)
        self._actors.clear()
        if self._started:
            self._ray.shutdown()

    @property
    def places(self) -> list[tuple[str, int, int]]:
        """Where there is room for a worker: machine, cores and GPUs of it, evenly over the
        machines.
        """
        found: list[tuple[int, str, int, int]] = []
        for node in self._ray.nodes():
            has = node["Resources"]
            if not node["Alive"] or not has.get("CPU"):
                continue
            gpus, all_cores = int(has.get("GPU", 0)), int(has["CPU"])
            cores = min(self.cores, all_cores)
            room = min(gpus, all_cores // cores) if gpus else all_cores // cores
            found += [(turn, node["NodeID"], cores, int(gpus > 0)) for turn in range(room)]
        found.sort(key=lambda place: place[:2])
        return [place[1:] for place in found][: self.settings.workers]

    @property
    def cores(self) -> int:
        """Cores of each worker; those of this machine are shared out where workers are counted."""
        settings = self.settings
        if settings.cores is None and settings.workers and settings.address == LOCAL:
            return max(1, (os.cpu_count() or 1) // settings.workers)
        return settings.cores or CORES

    @property
    def size(self) -> int:
        """Workers that paint or could."""
        return len(self._actors) - len(self._joining)

    def start(self, order: ChunkOrder | None) -> None:
        """Hire workers that get ready for an order, and wait for the first."""
        self._order = self._ray.put(order)
        self._sent = {order.key: self._order} if order is not None else {}
        self._looked = 0.0
        while self._idle:
            self._prepare(self._idle.pop())
        since = time.monotonic()
        while not self._idle:
            self._welcome(POLL_SECONDS, since)

    def _prepare(self, actor: Any) -> None:
        """Let a worker get ready, however often Ray has to start it for that."""
        self._joining[actor.ready.options(max_task_retries=-1).remote(self._order)] = actor

    def each(self, tasks: Iterator[Task], wanted: Callable[[], bool]) -> Iterator[TaskOutcome]:
        """Let the tasks be done; yields what became of each, in the order in which they end. No
        more are begun once they are not ``wanted``; those at work are waited for.
        """
        flying: dict[Any, tuple[Task, Any]] = {}
        again: list[Task] = []
        losses: Counter[tuple[str, int]] = Counter()
        more = True
        since = time.monotonic()
        while True:
            if not wanted():
                again, more = [], False
            while self._idle and (again or more):
                task = again.pop() if again else next(tasks, None)
                if task is None:
                    more = False
                    break
                actor = self._idle.pop(0)
                flying[self._hand(actor, task)] = task, actor
                if self._ray.wait(list(flying), timeout=0)[0]:
                    break
            if not (flying or again or more):
                return
            since = time.monotonic() if flying else since
            for reference in self._welcome(POLL_SECONDS, since, list(flying)):
                task, actor = flying.pop(reference)
                outcome = self._outcome(reference, task, actor)
                losses[task.key] += outcome is None
                if outcome is None and losses[task.key] < TRIES:
                    again.append(task)
                else:
                    yield outcome or TaskOutcome(task, error=EngineError(DIED))

    def _hand(self, actor: Any, task: Task) -> Any:
        """Give a worker its task; an order that many tasks share is sent once."""
        order = task.order
        words: tuple[Any, ...] = (order,)
        if isinstance(order, ChunkOrder):
            if order.key not in self._sent:
                self._sent[order.key] = self._ray.put(order)
            words = self._sent[order.key], task.piece, task.carried
        options = {"max_task_retries": TRIES - 1, "retry_exceptions": RETRIED}
        return getattr(actor, task.method).options(**options).remote(*words)

    def _outcome(self, reference: Any, task: Task, actor: Any) -> TaskOutcome | None:
        """What became of a task; None: its worker has died, or its machine is gone."""
        errors = self._ray.exceptions
        try:
            value = self._ray.get(reference)
        except self._gone:
            self._lose(self._actors.pop(actor, ""))
            return None
        except errors.ObjectLostError:
            self._idle.append(actor)
            return None
        except errors.RayActorError:
            # Ray starts it again, and may have used up the tries while it was starting.
            self._prepare(actor)
            return None
        except Exception as error:
            self._idle.append(actor)
            return TaskOutcome(task, error=convert_error(error))
        self._idle.append(actor)
        return TaskOutcome(task, value)

    def _lose(self, node: str) -> None:
        """A machine is gone, and with it all its workers."""
        self._looked = 0.0
        for actor in [one for one in self._idle if self._actors[one] == node]:
            self._idle.remove(actor)
            del self._actors[actor]
            self._ray.kill(actor)

    def _welcome(self, seconds: float, since: float, waited: list[Any] | None = None) -> list[Any]:
        """Hire where there is room, take in who is ready, and wait for what workers return."""
        self._hire()
        if not self._actors and time.monotonic() - since > NO_WORKER_SECONDS:
            raise VSTError(
                "no machine of the cluster has room for a worker "
                f"({self.cores} cores each; fewer with --threads)"
            )
        references = [*(waited or []), *self._joining]
        if not references:
            time.sleep(seconds)
            return []
        ready, _ = self._ray.wait(references, num_returns=1, timeout=seconds)
        for reference in ready:
            if reference in self._joining:
                self._take_in(reference, self._joining.pop(reference))
        return [reference for reference in ready if waited and reference in waited]

    def _take_in(self, reference: Any, actor: Any) -> None:
        """A worker is ready, or its machine is gone, or cannot do this job: the others go on."""
        try:
            self._ray.get(reference)
        except Exception as error:
            node = self._actors.pop(actor)
            self._ray.kill(actor)
            if isinstance(error, self._gone):
                return
            self._refusing.add(node)
            if not self._actors:
                raise convert_error(error) from error
        else:
            self._idle.append(actor)

    @property
    def _gone(self) -> tuple[Any, ...]:
        errors = self._ray.exceptions
        return errors.ActorDiedError, errors.ActorUnschedulableError

    def _hire(self) -> None:
        """Bring as many workers to each machine as there is room for."""
        if time.monotonic() - self._looked < NODE_POLL_SECONDS:
            return
        self._looked = time.monotonic()
        affinity = self._ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy
        have = list(self._actors.values())
        for node, cores, gpus in self.places:
            if node in self._refusing:
                continue
            if node in have:
                have.remove(node)
                continue
            actor = (
                self._ray.remote(Worker)
                .options(
                    num_cpus=cores,
                    num_gpus=gpus,
                    max_restarts=-1,
                    scheduling_strategy=affinity(node, soft=False),
                )
                .remote(None if gpus else cores)
            )
            self._actors[actor] = node
            self._prepare(actor)


def convert_error(error: BaseException) -> VSTError:
    """What a worker raised, as it would have been raised here."""
    cause = getattr(error, "cause", None) or error
    if isinstance(cause, VSTError):
        return cause
    lines = [line.strip() for line in str(cause).splitlines() if line.strip()]
    text = lines[-1] if lines else type(cause).__name__
    if isinstance(cause, MemoryError):
        return EngineError(f"a worker had no memory ({text}); try a smaller --size")
    return VSTError(f"a worker failed: {text}")
