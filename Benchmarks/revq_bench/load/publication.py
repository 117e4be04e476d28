"""New versions of a checkpoint, as `revq-train publish` makes them appear: a hidden sibling, then one rename."""

import asyncio
import json
import shutil

from .server import newest_version

# The server keeps three; those that it may be reading are left alone.
_KEPT = 6


def publish(checkpoints, model="default"):
    """The newest version once more under the next number; its tokens mean the same."""
    newest = newest_version(checkpoints, model)
    number = int(newest.name) + 1
    staged = newest.parent / f".staged-{number}"
    shutil.copytree(newest, staged)
    manifest = json.loads((staged / "manifest.json").read_text())
    manifest["step"] = number
    (staged / "manifest.json").write_text(json.dumps(manifest))
    staged.rename(newest.parent / f"{number:06}")
    _forget(newest.parent, number - _KEPT)
    return number


def _forget(folder, last):
    for version in folder.iterdir():
        if version.name.isdigit() and int(version.name) <= last:
            shutil.rmtree(version)


async def swap(server, checkpoints, seconds=30):
    """Publishes, and waits until the version is served; its number, or None if it never is."""
    number = await asyncio.to_thread(publish, checkpoints)
    deadline = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < deadline:
        models = json.loads((await server.get("/models")).body)["models"]
        if models and models[0]["versions"][0]["version"] == number:
            return number
        await asyncio.sleep(0.1)
    return None
