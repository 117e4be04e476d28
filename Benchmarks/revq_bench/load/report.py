"""The table of a run."""


def table(results):
    lines = ["| scenario | figure | value | wanted | |", "|---|---|---|---|---|"]
    for result in results:
        for what, value, wanted, holds in result["figures"]:
            verdict = {None: "", True: "pass", False: "FAIL"}[holds]
            lines.append(f"| {result['scenario']} | {what} | {value} | {wanted} | {verdict} |")
        lines.append(f"| {result['scenario']} | *{surroundings(result)}* | | | |")
    return "\n".join(lines) + "\n"


def surroundings(result):
    return f"{result['wall_s']:.0f} s, this client {result['client_cpu_s']:.1f} s of CPU, other processes {result['others_cores']:.2f} cores"
