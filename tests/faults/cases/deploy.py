"""A deploy as it is meant to be: behind a balancer that asks whether a receiver is ready."""

import asyncio
import itertools
from random import Random

from tests.e2e.balancer import Backend, Balancer, balancing
from tests.e2e.program import TOKEN, eventually, free_port
from tests.faults.load import Callbacks
from tests.faults.stage import Stage

LAME_DUCK_SECONDS = "3"
READY_SECONDS = 30
ROUNDS, PAUSE_SECONDS = 3, 4.0


class Front:
    """Where the balancer listens, as a receiver to those who send.

    It has another label at each look: which receiver met an SMS is not known, so nobody may say that it saw two.
    """

    name = "balancer"

    def __init__(self, balancer: Balancer) -> None:
        self.url = f"http://127.0.0.1:{balancer.port}/v1/pingme/{TOKEN}"
        self._looks = itertools.count(1)

    @property
    def label(self) -> str:
        return f"{self.name}#{next(self._looks)}"


class Deployed:
    """Receivers are started again one after the other; nobody is refused, cut off or told to come back."""

    async def prepare(self, stage: Stage) -> None:
        self._backends = []
        for receiver in stage.receivers:
            port, admin = free_port(), free_port()
            receiver.settings |= {"RECEIVER__PORT": str(port), "ADMIN__PORT": str(admin)}
            receiver.settings["RECEIVER__LAME_DUCK"] = LAME_DUCK_SECONDS
            self._backends.append(Backend(port, f"http://127.0.0.1:{admin}"))
        self._balancer = await stage.stack.enter_async_context(balancing(*self._backends, ready=False))
        front = Front(self._balancer)
        stage.callbacks = Callbacks([front], rate=stage.case.rate, rng=Random(stage.rng.random()))

    async def run(self, stage: Stage) -> None:
        async with stage.fault("deploy"):
            for _ in range(max(1, round(ROUNDS * stage.scale))):
                for receiver, backend in zip(stage.receivers, self._backends, strict=True):
                    before = len(stage.callbacks.posts)
                    code = await receiver.terminate()
                    if code:
                        stage.wrong(f"{receiver.name} ended with exit code {code} when it was asked to")
                    await receiver.start()
                    await eventually(lambda backend=backend: _is_ready(backend), READY_SECONDS, "a receiver is ready")
                    stage.met("the deploy met callbacks", len(stage.callbacks.posts) - before > stage.case.rate)
                    await asyncio.sleep(PAUSE_SECONDS * stage.scale)
        if self._balancer.lost:
            stage.wrong(f"{self._balancer.lost} connections found no receiver")
        for post in stage.callbacks.posts:
            if post.status != 200:
                stage.wrong(f"{post.nonce} was answered {post.status} {post.failure}")


async def _is_ready(backend: Backend) -> bool:
    return backend.ready
