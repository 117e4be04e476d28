"""One file, one scenario: `run(bench)` returns its figures, and whatever else belongs into the JSON."""

NAMES = (
    "hostile",
    "throughput",
    "overload",
    "retries",
    "fairness",
    "swaps",
    "canary",
    "cancels",
    "deadlines",
    "slow",
    "admin",
    "frames",
    "livez",
    "delay",
    "log",
    "drain",
    "balancer",
    "replicas",
    "soak",
)
