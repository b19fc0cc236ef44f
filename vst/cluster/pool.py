"""Runs tasks with workers on the machines of a Ray cluster.

Ray starts the workers, sends orders and results, restarts a worker that has died and repeats its
task. This module decides which machines get workers, gives each worker one task at a time, and
gives the tasks of a lost machine to the others.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from vst.cluster.running import RunningTasks
from vst.cluster.tasks import CORES, LOCAL, TRIES, ChunkOrder, ClusterSettings, Task
from vst.cluster.worker import Worker
from vst.core.closable import Closable
from vst.errors import (
    DependencyError,
    EngineError,
    MediaError,
    OutputError,
    StalledError,
    UsageError,
    VSTError,
)

RETRIED = [EngineError, MediaError, OutputError, MemoryError]
"""Errors of a task after which the same worker tries it again; others would only repeat. After a
`StalledError` another one does, for something in the worker still hangs.
"""
POLL_SECONDS = 0.5
"""Seconds between two checks whether the user wants to stop."""
NODE_POLL_SECONDS = 5.0
"""Seconds between two checks which machines there are."""
ANSWER_SECONDS = 10.0
"""Seconds within which a cluster answers."""
DEATH, LOSS, MOST_LOSSES = 4, 1, 4 * TRIES
"""A task fails after `TRIES` workers have died with it. A machine that is lost, as those of a cloud
that are cheap are now and then, counts less: it is hardly the task's fault.
"""
DIED = "the worker died, or its machine was lost, each time; it may lack memory"
NO_WORKER_SECONDS = 120.0
"""Seconds without any worker after which the job fails."""


@dataclass(frozen=True)
class TaskOutcome:
    """What the worker returned for a task, or why the task failed after all attempts."""

    task: Task
    value: Any = None
    error: VSTError | None = None


def import_ray() -> Any:
    """Import Ray; raises `DependencyError` if it is not installed."""
    try:
        import ray
    except ImportError as error:
        raise DependencyError.of_extra("--cluster needs Ray", "cluster") from error
    return ray


def check_reachable(address: str) -> None:
    """Refuse ``HOST:PORT`` where nothing answers: Ray would try it for minutes, and then exit."""
    host, _, port = address.rpartition(":")
    if "://" in address or not host or not port.isdecimal():
        return
    try:
        socket.create_connection((host, int(port)), ANSWER_SECONDS).close()
    except (OSError, OverflowError, UnicodeError) as error:
        raise UsageError(
            f"cluster {address!r} cannot be reached ({error}). Give {LOCAL!r}, or the address that "
            "'ray start --head' printed on the first machine"
        ) from error


class WorkerPool(Closable):
    """The workers. Entering it connects to the cluster (or starts one on this machine); leaving it
    ends the workers, and the cluster if it was started here.
    """

    def __init__(self, settings: ClusterSettings) -> None:
        self.settings = settings
        self._ray = import_ray()
        self._order: Any = None
        self._sent: dict[str, Any] = {}
        self._actors: dict[Any, str] = {}  # -> node
        self._starting: dict[Any, Any] = {}  # reference to its readiness -> actor
        self._idle: list[Any] = []
        self._losses: Counter[tuple[str, str, int]] = Counter()
        self._checked = 0.0
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
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # no usage statistics are sent
        ending = signal.getsignal(signal.SIGTERM)
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        try:
            if address == LOCAL:
                workers = self.settings.workers
                wanted = workers * self.cores if workers else None
                # "local": without an address Ray joins any cluster that runs on this machine.
                self._ray.init("local", num_cpus=wanted, include_dashboard=False, **quiet)
            else:
                check_reachable(address)
                self._ray.init(address=address, **quiet)
        except UsageError:
            raise
        except Exception as error:  # Ray raises many classes, Exception too
            text = str(error).strip().splitlines()[0] if str(error).strip() else ""
            raise VSTError(
                f"cluster {address!r} cannot be reached ({text}). Give {LOCAL!r}, or the address "
                "that 'ray start --head' printed on the first machine"
            ) from error
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, ending)  # Ray has replaced this program's handler

    def close(self) -> None:
        """Close idle workers, and stop the others."""
        closing = [actor.close.remote() for actor in self._idle]
        if closing:
            self._ray.wait(closing, num_returns=len(closing), timeout=5.0)
        for actor in self._actors:
            self._ray.kill(actor)
        self._actors.clear()
        if self._started:
            self._ray.shutdown()

    def find_slots(self) -> list[tuple[str, int, int]]:
        """Where a worker fits: machine, its cores and its GPUs, evenly over the machines."""
        found: list[tuple[int, str, int, int]] = []
        for node in self._ray.nodes():
            has = node["Resources"]
            if not node["Alive"] or not has.get("CPU"):
                continue
            gpus, all_cores = int(has.get("GPU", 0)), int(has["CPU"])
            cores = min(self.cores, all_cores)
            count = min(gpus, all_cores // cores) if gpus else all_cores // cores
            found += [(turn, node["NodeID"], cores, int(gpus > 0)) for turn in range(count)]
        found.sort(key=lambda slot: slot[:2])
        return [slot[1:] for slot in found][: self.settings.workers]

    @property
    def cores(self) -> int:
        """Cores of each worker; the cores of this machine are divided by the number of workers."""
        settings = self.settings
        if settings.cores is None and settings.workers and settings.address == LOCAL:
            return max(1, (os.cpu_count() or 1) // settings.workers)
        return settings.cores or CORES

    @property
    def size(self) -> int:
        """Workers that are ready or paint."""
        return len(self._actors) - len(self._starting)

    def start(self, order: ChunkOrder | None) -> None:
        """Start workers, prepare them for an order, and wait for the first."""
        self._order = self._ray.put(order)
        self._sent = {order.key: self._order} if order is not None else {}
        self._checked = 0.0
        while self._idle:
            self._prepare(self._idle.pop())
        since = time.monotonic()
        while not self._idle:
            self._wait(POLL_SECONDS, since)

    def _prepare(self, actor: Any) -> None:
        """Prepare a worker for the order, however often Ray has to start it for that."""
        self._starting[actor.prepare.options(max_task_retries=-1).remote(self._order)] = actor

    def run_tasks(
        self, tasks: Iterator[Task], is_wanted: Callable[[], bool]
    ) -> Iterator[TaskOutcome]:
        """Run the tasks; yields the outcome of each, in the order in which they end. No more are
        started once ``is_wanted`` is false; those that run are waited for, unless the caller stops
        asking for outcomes.
        """
        running = RunningTasks()
        try:
            yield from self._run_tasks(tasks, is_wanted, running)
        finally:
            for one in running.tasks.values():  # ready again when its task has ended
                self._starting[one.actor.prepare.remote(None)] = one.actor

    def _run_tasks(
        self,
        tasks: Iterator[Task],
        is_wanted: Callable[[], bool],
        running: RunningTasks,
    ) -> Iterator[TaskOutcome]:
        again: list[Task] = []
        ended: set[tuple[str, str, int]] = set()
        more = True
        since = time.monotonic()
        while True:
            if not is_wanted():
                again, more = [], False
            while self._idle and (again or more):
                task = again.pop() if again else next(tasks, None)
                if task is None:
                    more = False
                    break
                self._give(task, self._idle[0], running)
                if self._ray.wait(list(running.tasks), timeout=0)[0]:
                    break
            if not (again or more) and {one.task.key for one in running.tasks.values()} <= ended:
                return
            if self._idle and not (again or more) and is_wanted():
                self._copy_late(running, ended)
            since = time.monotonic() if running.tasks else since
            for reference in self._wait(POLL_SECONDS, since, list(running.tasks)):
                one = running.pop(reference)
                outcome = self._outcome(reference, one.task, one.actor)
                key = one.task.key
                if outcome is not None and outcome.error is None:
                    running.record(one, time.monotonic())
                elif running.count_copies(one.task) and self._losses[key] < MOST_LOSSES:
                    # Another worker may succeed.
                    if outcome is None:
                        running.forget_copy(one.task)
                    continue
                if key in ended:
                    continue
                if outcome is None and self._losses[key] < MOST_LOSSES:
                    again.append(one.task)
                else:
                    ended.add(key)
                    yield outcome or TaskOutcome(one.task, error=EngineError(DIED))

    def _copy_late(self, running: RunningTasks, ended: set[tuple[str, str, int]]) -> None:
        """Give the tasks that are late to idle workers, too, as far as there are fast ones."""
        while (fast := running.choose_fast(self._idle)) is not None:
            late = running.choose_late(time.monotonic())
            if late is None:
                return
            if late.key not in ended:
                self._give(late, fast, running)

    def _give(self, task: Task, actor: Any, running: RunningTasks) -> None:
        """Give a task to an idle worker."""
        self._idle.remove(actor)
        running.add(self._submit(actor, task), task, actor, time.monotonic())

    def _submit(self, actor: Any, task: Task) -> Any:
        """Give a worker its task; a chunk order, which many tasks share, is sent once."""
        order = task.order
        arguments: tuple[Any, ...] = (order,)
        if isinstance(order, ChunkOrder):
            if order.key not in self._sent:
                self._sent[order.key] = self._ray.put(order)
            arguments = self._sent[order.key], *task.arguments
        options = {"max_task_retries": TRIES - 1, "retry_exceptions": RETRIED}
        return getattr(actor, task.method).options(**options).remote(*arguments)

    def _outcome(self, reference: Any, task: Task, actor: Any) -> TaskOutcome | None:
        """The outcome of a task; None: its worker has died, or its machine is lost."""
        errors = self._ray.exceptions
        try:
            value = self._ray.get(reference)
        except self._gone:
            self._drop_node(self._actors.pop(actor, ""))
            self._losses[task.key] += LOSS
            return None
        except errors.ObjectLostError:
            self._idle.append(actor)
            self._losses[task.key] += LOSS
            return None
        except errors.RayActorError:
            # Ray restarts it, and may have used up the attempts while it was starting.
            self._prepare(actor)
            self._losses[task.key] += DEATH
            return None
        except Exception as error:
            converted = convert_error(error)
            if isinstance(converted, StalledError):
                return self._replace_hung(actor, task, converted)
            self._idle.append(actor)
            return TaskOutcome(task, error=converted)
        self._idle.append(actor)
        return TaskOutcome(task, value)

    def _replace_hung(self, actor: Any, task: Task, error: StalledError) -> TaskOutcome | None:
        """Have Ray start the worker of a hung task afresh; None: another worker is to try it."""
        self._ray.kill(actor, no_restart=False)
        self._prepare(actor)
        self._losses[task.key] += DEATH
        failed = self._losses[task.key] >= MOST_LOSSES
        return TaskOutcome(task, error=error) if failed else None

    def _drop_node(self, node: str) -> None:
        """Drop the workers of a machine that is lost."""
        self._checked = 0.0
        for actor in [one for one in self._idle if self._actors[one] == node]:
            self._idle.remove(actor)
            del self._actors[actor]
            self._ray.kill(actor)

    def _wait(self, seconds: float, since: float, waited: list[Any] | None = None) -> list[Any]:
        """Start workers where they fit, and wait for tasks of ``waited`` to end; returns those."""
        self._start_workers()
        if not self._actors and time.monotonic() - since > NO_WORKER_SECONDS:
            raise VSTError(
                f"no machine of the cluster has {self.cores} free cores for a worker. Give fewer "
                "with --threads"
            )
        references = [*(waited or []), *self._starting]
        if not references:
            time.sleep(seconds)
            return []
        ready, _ = self._ray.wait(references, num_returns=1, timeout=seconds)
        for reference in ready:
            if reference in self._starting:
                self._add_worker(reference, self._starting.pop(reference))
        return [reference for reference in ready if waited and reference in waited]

    def _add_worker(self, reference: Any, actor: Any) -> None:
        """Add a worker that is ready; one whose machine is lost or cannot do the job is dropped."""
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

    def _start_workers(self) -> None:
        """Start as many workers on each machine as fit."""
        if time.monotonic() - self._checked < NODE_POLL_SECONDS:
            return
        self._checked = time.monotonic()
        affinity = self._ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy
        existing = list(self._actors.values())
        for node, cores, gpus in self.find_slots():
            if node in self._refusing:
                continue
            if node in existing:
                existing.remove(node)
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
    """The error that a worker raised, as this process would have raised it."""
    cause = getattr(error, "cause", None) or error
    if isinstance(cause, VSTError):
        return cause
    lines = [line.strip() for line in str(cause).splitlines() if line.strip()]
    text = lines[-1] if lines else type(cause).__name__
    if isinstance(cause, MemoryError):
        return EngineError(f"a worker ran out of memory ({text}). Try a smaller --size")
    return VSTError(f"a worker failed: {text}")
