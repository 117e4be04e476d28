"""What Linux says of the processor."""


def features():
    """The names of its features, and the empty one, which every processor has."""
    with open("/proc/cpuinfo") as lines:
        flags = next((line for line in lines if line.startswith("flags")), ":")
    return {"", *flags.split(":")[1].split()}
