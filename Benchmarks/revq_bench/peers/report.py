"""One Markdown table of everything, and the ratios to the fastest peer."""

import statistics

OPERATIONS = ("encode", "decode", "quantise", "rectify")
# A peer whose results differ by more has computed something else, and is no rival; bf16 and ties of codes differ by far less.
LARGEST_DIFFERENCE = 0.1


def table(results):
    lines = ["| | encode | decode | quantise | rectify | peak memory | load | difference |", "|---|---|---|---|---|---|---|---|"]
    for result in results:
        lines.append(f"| **{title(result)}** | | | | | | | |")
        for name, peer in result["peers"].items():
            cells = [_cell(result, peer, operation) for operation in OPERATIONS]
            worst = max(peer.get("difference", {}).values(), default=0)
            lines.append(f"| {name} | {' | '.join(cells)} | {peer['peak_bytes'] / 1e6:,.0f} MB | {peer['load_ms']:,.0f} ms | {worst:.1e} |")
        for name, reason in result["refused"].items():
            lines.append(f"| {name} | {reason} | | | | | | |")
    return "\n".join(lines)


def title(result):
    threads = f"{result['threads']} thread{'s' * (result['threads'] > 1)}"
    rates = (
        f"sgemm {_median(result['sgemm_gflops']):.0f} GFLOP/s, copy {_median(result['copy_gigabytes_per_second']):.1f} GB/s"
        if result["sgemm_gflops"]
        else ""
    )
    return f"{result['model']}, {result['precision']}, {result['size']}×{result['size']}, batch {result['batch']}, {threads}; {rates}"


def _cell(result, peer, operation):
    values = peer["ms"].get(operation)
    if not values:
        return ""
    time = f"{_ms(_median(values))} ({_ms(min(values))}–{_ms(max(values))}) ms"
    if operation not in result["gflop_per_image"]:
        return time
    rate = result["gflop_per_image"][operation] / (_median(values) / 1000)
    share = f", {rate / _median(result['sgemm_gflops']):.2f}" if result["sgemm_gflops"] else ""
    return f"{time}, {rate:.0f}{share}"


def _ms(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.3f}"


def ratios(results):
    """How many times as fast as the fastest peer of the same precision revq is, and its share of the leanest one's memory."""
    lines = []
    for result in results:
        ours = "revq bf16" if result["precision"] == "bf16" else "revq"
        parts = [*(_ratio(result, ours, operation) for operation in OPERATIONS), _memory(result, ours)]
        if any(parts):
            lines.append(f"- {title(result).split(';')[0]}, {ours}: " + ", ".join(part for part in parts if part))
    return "\n".join(lines)


def _ratio(result, ours, operation):
    medians = {name: _median(peer["ms"][operation]) for name, peer in result["peers"].items() if peer["ms"].get(operation)}
    fastest = _least_rival(result, ours, medians)
    return fastest and f"{operation} {medians[fastest] / medians[ours]:.2f}× {fastest}"


def _memory(result, ours):
    peaks = {name: peer["peak_bytes"] for name, peer in result["peers"].items()}
    leanest = _least_rival(result, ours, peaks)
    return leanest and f"memory {peaks[ours] / peaks[leanest]:.2f}× {leanest}"


def _least_rival(result, ours, values):
    """The peer whose value is the least; None where there is none, or none of ours to hold it against."""
    rivals = [name for name in values if _is_rival(name, result["peers"][name])]
    return min(rivals, key=values.get) if ours in values and rivals else None


def _is_rival(name, peer):
    return not name.startswith("revq") and all(difference < LARGEST_DIFFERENCE for difference in peer["difference"].values())


def _median(values):
    return statistics.median(values)
