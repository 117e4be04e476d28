"""Where revq's time goes: each kind of operation beside the least time that this machine's own rates allow for its work."""

import statistics

ROUNDS = 3


def take(worker, operation):
    """The profile of the fastest of some runs."""
    return min((worker.ask(do="profile", operation=operation) for _ in range(ROUNDS)), key=lambda answer: answer["ms"])


def tables(results):
    return "\n\n".join(_table(result, operation, profile) for result in results for operation, profile in result.get("profiles", {}).items())


def _table(result, operation, profile):
    sgemm = statistics.median(result["sgemm_gflops"])
    copy = statistics.median(result["copy_gigabytes_per_second"])
    lines = [
        f"**{operation}**, {result['model']}, {result['size']}×{result['size']}, batch {result['batch']}, {result['threads']} threads: "
        f"{profile['ms']:,.0f} ms, floor from sgemm at {sgemm:.0f} GFLOP/s and copies at {copy:.1f} GB/s, tensors "
        f"{profile['tensor_peak_bytes'] / 1e6:,.0f} MB at most",
        "",
        "| | share | calls | ms | floor ms | times the floor |",
        "|---|---|---|---|---|---|",
    ]
    shares = sorted(profile["shares"].items(), key=lambda item: -item[1]["ms"])
    for name, share in shares:
        floor = max(2 * share["multiplications"] / sgemm, 4 * share["floats"] / copy) / 1e6
        distance = f"{share['ms'] / floor:.2f}" if floor > 0 else ""
        lines.append(f"| {name} | {100 * share['ms'] / profile['ms']:.1f} % | {share['calls']} | {share['ms']:.2f} | {floor:.2f} | {distance} |")
    rest = profile["ms"] - sum(share["ms"] for _, share in shares)
    lines.append(f"| between operations | {100 * rest / profile['ms']:.1f} % | | {rest:.2f} | | |")
    return "\n".join(lines)
