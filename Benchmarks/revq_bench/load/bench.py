"""What the scenarios of one run share."""

import contextlib
import pathlib
import shutil
import sys
import tempfile

from .bodies import Bodies
from .server import Server


class Bench:
    def __init__(self, options):
        self.executable, self.flags = options.executable, options.flags
        self.checkpoints = options.checkpoints
        self.seed, self.is_quick = options.seed, options.quick
        self.options = options

    def scaled(self, full, quick=None):
        """How long something lasts, or how often it is done: a fifth where a first look is enough, unless told otherwise."""
        return (quick or full / 5) if self.is_quick else full

    async def start(self, *flags, checkpoints=None, **others):
        """A server that is ready; whoever starts it closes it."""
        server = Server(self.executable, checkpoints or self.checkpoints, [*flags, *self.flags], **others)
        try:
            await server.wait_until_ready()
        except BaseException:
            server.close(1)
            raise
        return server

    @contextlib.asynccontextmanager
    async def server(self, *flags, **others):
        server = await self.start(*flags, **others)
        try:
            yield server
        finally:
            server.close()

    @contextlib.contextmanager
    def scratch_checkpoints(self):
        """A copy that may be published into."""
        with tempfile.TemporaryDirectory() as scratch:
            folder = pathlib.Path(scratch) / "checkpoints"
            shutil.copytree(self.checkpoints, folder)
            yield folder

    async def bodies(self, server):
        return await Bodies.of(server)

    def say(self, text):
        print(f"  {text}", file=sys.stderr, flush=True)
