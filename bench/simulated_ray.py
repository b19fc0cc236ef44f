"""A stand-in for Ray in one process: machines, workers and calls on a virtual clock, under the real
driver of `vst.cluster`.

Events are sorted by virtual time; `wait` advances the clock to the next one. The CPU time that the
driver itself takes between two calls passes on the virtual clock, too, and so does ``call_seconds``
for each call, which stands for what Ray takes.
"""

from __future__ import annotations

import heapq
import itertools
import random
import time as clock
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any


class ActorDiedError(Exception):
    """The worker's machine is lost."""


class ActorUnschedulableError(Exception):
    """There is no machine for the worker."""


class ObjectLostError(Exception):
    """The result was lost with its machine."""


class RayActorError(Exception):
    """The worker has died."""


@dataclass(eq=False)
class Reference:
    """A call, and its result or error once it has ended."""

    actor: Any = None
    value: Any = None
    error: Exception | None = None
    ready: bool = False


@dataclass(eq=False)
class Machine:
    """A machine with one worker; ``slowness``: how many times longer it takes than others."""

    name: str
    slowness: float = 1.0
    alive: bool = True
    actors: list[Actor] = field(default_factory=list)

    def describe(self) -> dict[str, Any]:
        return {"NodeID": self.name, "Alive": self.alive, "Resources": {"CPU": 1.0}}


class Actor:
    """A worker: its methods are called one after the other."""

    def __init__(self, ray: SimulatedRay, machine: Machine, worker: Any) -> None:
        self.ray, self.machine, self.worker = ray, machine, worker
        self.free_at = ray.now
        self.calls: list[Reference] = []
        machine.actors.append(self)

    def __getattr__(self, method: str) -> Any:
        def remote(*arguments: Any) -> Reference:
            return self.ray.call(self, method, arguments)

        bound = SimpleNamespace(remote=remote)
        bound.options = lambda **options: bound
        return bound


@dataclass
class SimulatedRay:
    """The part of Ray's interface that `vst.cluster.pool` uses."""

    machines: int
    slow_share: float = 0.0
    slow_factor: float = 10.0
    lost_a_minute: float = 0.0
    replaced_after: float = 60.0
    call_seconds: float = 0.0
    seed: int = 1
    now: float = 0.0
    calls: int = 0
    losses: int = 0

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self.park: list[Machine] = []
        self._names = itertools.count()
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._cpu = clock.process_time()
        self.exceptions = SimpleNamespace(
            ActorDiedError=ActorDiedError,
            ActorUnschedulableError=ActorUnschedulableError,
            ObjectLostError=ObjectLostError,
            RayActorError=RayActorError,
        )
        self.util = SimpleNamespace(
            scheduling_strategies=SimpleNamespace(
                NodeAffinitySchedulingStrategy=lambda name, soft: name
            )
        )
        for _ in range(self.machines):
            self.add_machine()
        if self.lost_a_minute:
            self.at(self.now + 1.0, self._lose_some)

    # The world

    def add_machine(self) -> None:
        slow = self.dice.random() < self.slow_share
        machine = Machine(f"m{next(self._names)}", self.slow_factor if slow else 1.0)
        self.park.append(machine)

    def _lose_some(self) -> None:
        """Each second, each machine is lost with the probability that ``lost_a_minute`` makes."""
        for machine in self.park:
            if machine.alive and self.dice.random() < self.lost_a_minute / 60:
                self.losses += 1
                machine.alive = False
                self.at(self.now + self.replaced_after, self.add_machine)
                for actor in machine.actors:
                    for reference in actor.calls:
                        if not reference.ready:
                            reference.ready, reference.error = True, ActorDiedError("lost")
        self.park = [machine for machine in self.park if machine.alive]
        self.at(self.now + 1.0, self._lose_some)

    def at(self, moment: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._events, (moment, next(self._order), action))

    def advance(self, moment: float) -> None:
        """Let everything happen until ``moment``."""
        while self._events and self._events[0][0] <= moment:
            when, _, action = heapq.heappop(self._events)
            self.now = max(self.now, when)
            action()
        self.now = max(self.now, moment)

    def _pass_driver_time(self, calls: int = 1) -> None:
        """Let the CPU time that the driver has taken since the last call pass."""
        cpu = clock.process_time()
        self.calls += calls
        self.advance(self.now + cpu - self._cpu + calls * self.call_seconds)
        self._cpu = clock.process_time()

    # Ray's interface

    def is_initialized(self) -> bool:
        return True

    def nodes(self) -> list[dict[str, Any]]:
        return [machine.describe() for machine in self.park]

    def put(self, value: Any) -> Reference:
        return Reference(value=value, ready=True)

    def remote(self, worker: Any) -> Any:
        def options(**chosen: Any) -> Any:
            name = chosen["scheduling_strategy"]

            def create(*arguments: Any) -> Actor:
                found = [machine for machine in self.park if machine.name == name]
                machine = found[0] if found else Machine(name, alive=False)
                return Actor(self, machine, worker(*arguments))

            return SimpleNamespace(remote=create)

        return SimpleNamespace(options=options)

    def call(self, actor: Actor, method: str, arguments: tuple[Any, ...]) -> Reference:
        """A call ends after the seconds that the worker's method returns beside its result."""
        self._pass_driver_time()
        reference = Reference(actor)
        if not actor.machine.alive:
            reference.ready, reference.error = True, ActorDiedError("lost")
            return reference
        given = [one.value if isinstance(one, Reference) else one for one in arguments]
        seconds, make_result = getattr(actor.worker, method)(*given)
        actor.free_at = max(actor.free_at, self.now) + seconds * actor.machine.slowness
        actor.calls = [one for one in actor.calls if not one.ready] + [reference]

        def end() -> None:
            if not reference.ready:
                reference.value, reference.ready = make_result(), True

        self.at(actor.free_at, end)
        return reference

    def get(self, reference: Reference) -> Any:
        self._pass_driver_time()
        if reference.error is not None:
            raise reference.error
        return reference.value

    def wait(
        self, references: list[Reference], num_returns: int = 1, timeout: float = 0.0
    ) -> tuple[list[Reference], list[Reference]]:
        self._pass_driver_time()
        end = self.now + timeout
        while not (ready := [one for one in references if one.ready]):
            if not self._events or self._events[0][0] > end:
                self.advance(end)
                self._cpu = clock.process_time()
                return [], references
            self.advance(self._events[0][0])
        self._cpu = clock.process_time()  # searching for events is not the driver's work
        return ready[:num_returns], [one for one in references if one is not ready[0]]

    def kill(self, actor: Actor) -> None:
        actor.machine.actors = [one for one in actor.machine.actors if one is not actor]

    def shutdown(self) -> None:
        pass

    # The clock that the driver sees

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.advance(self.now + seconds)
        self._cpu = clock.process_time()
