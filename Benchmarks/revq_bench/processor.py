"""What Linux says of the processor."""

import os


def features():
    """The names of its features, and the empty one, which every processor has."""
    with open("/proc/cpuinfo") as lines:
        flags = next((line for line in lines if line.startswith("flags")), ":")
    return {"", *flags.split(":")[1].split()}


def name():
    """Its model, and how many cores this process may use."""
    with open("/proc/cpuinfo") as lines:
        model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown processor")
    return f"{model}, {len(os.sched_getaffinity(0))} cores"
