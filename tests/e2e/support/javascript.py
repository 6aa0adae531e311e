"""A Node process that does as it is told, one JSON message a line."""

import asyncio
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

CLIENTS = Path(__file__).parents[2] / "clients"

Message = dict[str, Any]


class JavaScript:
    """One of the driver scripts in ``tests/clients``, running."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._messages: list[Message] = []
        self._arrived = asyncio.Condition()
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, script: str, environment: dict[str, str]) -> Self:
        node = shutil.which("node")
        assert node is not None
        return await cls.launch([node, script], environment)

    @classmethod
    async def launch(cls, command: list[str], environment: dict[str, str]) -> Self:
        """Start any program that takes commands as the scripts do."""
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=CLIENTS,
            env=environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=2**24,
        )
        return cls(process)

    async def stop(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        await asyncio.wait_for(self._process.wait(), 10)
        await self._reader

    async def call(self, command: str, **parameters: Any) -> Any:
        """Run a command of the script and return its result."""
        assert self._process.stdin is not None
        number = len(self._answers)
        self._answers[number] = answer = asyncio.get_running_loop().create_future()
        line = json.dumps({"id": number, "command": command, **parameters}) + "\n"
        self._process.stdin.write(line.encode())
        return await asyncio.wait_for(answer, 30)

    async def message(self, matches: Callable[[Message], bool], seconds: float = 15) -> Message:
        """The first message that matches, waiting for it if need be; it is taken off the list."""
        async with asyncio.timeout(seconds), self._arrived:
            while True:
                for position, message in enumerate(self._messages):
                    if matches(message):
                        return self._messages.pop(position)
                await self._arrived.wait()

    def seen(self, matches: Callable[[Message], bool]) -> list[Message]:
        """The messages so far that match and that nobody has taken."""
        return [message for message in self._messages if matches(message)]

    async def event(self, client: str, channel: str, event: str) -> Message:
        """The next event of a name on a client's channel."""
        return await self.message(
            lambda m: m["kind"] == "event" and (m["client"], m["channel"], m["event"]) == (client, channel, event)
        )

    async def state(self, client: str, state: str) -> None:
        """Wait until a client's connection has come into a state."""
        await self.message(lambda m: m["kind"] == "state" and (m["client"], m["state"]) == (client, state))

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            message = json.loads(line)
            if "id" not in message:
                async with self._arrived:
                    self._messages.append(message)
                    self._arrived.notify_all()
                continue
            answer = self._answers[message["id"]]
            if "error" in message:
                answer.set_exception(AssertionError(message["error"]))
            else:
                answer.set_result(message["result"])
