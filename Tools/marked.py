"""Parts of documents that a script writes, between two comments that stay."""

import argparse
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def place(text, name, part):
    """`text` with `part` between its markers of this name."""
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    if text.count(begin) != 1 or text.count(end) != 1:
        raise ValueError(f"{begin} and {end} should be there once each")
    before, rest = text.split(begin)
    return f"{before}{begin}\n{part}\n{end}{rest.split(end)[1]}"


def main(description, page, name, script, draw, violations=lambda _: []):
    """Writes what `draw` draws into the page; with --check says what is stale or violated instead, and ends with status 1 for it."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing; fail where something is wrong")
    parser.add_argument("--root", type=pathlib.Path, default=ROOT, help="another tree to look at")
    options = parser.parse_args()
    file = options.root / page
    text = file.read_text()
    drawn = place(text, name, draw(options.root))
    problems = violations(options.root)
    if not options.check:
        file.write_text(drawn)
    elif drawn != text:
        problems.append(f"the {name} in {page} is stale: run python3 {script}")
    for problem in problems:
        print(problem, file=sys.stderr)
    sys.exit(1 if problems else 0)
