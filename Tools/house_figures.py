#!/usr/bin/env python3
"""Prints how the Swift sources of some revisions are cut, one column each.

    python3 Tools/house_figures.py [--tests] [REVISION …]     HEAD by default

Counts files under Sources; with --tests also those under Tests and Benchmarks. A function's length is from `func` or `init` to its closing
brace.
"""

import argparse
import re
import statistics
import subprocess

FUNCTION = re.compile(r"^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:[a-z]+(?:\(set\))?\s+)*(?:func\s+[^\s(<]+|init[?!]?)\s*[(<]")
PUBLIC = re.compile(r"^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:public|open)\s", re.MULTILINE)
QUOTED = re.compile(r'"(?:\\.|[^"\\])*"|//.*')


def git(*arguments):
    return subprocess.run(["git", *arguments], check=True, capture_output=True, text=True).stdout


def files(revision, folders):
    """{path: text} of the Swift files, as they were."""
    paths = [path for path in git("ls-tree", "-r", "--name-only", revision, *folders).splitlines() if path.endswith(".swift")]
    request = "".join(f"{revision}:{path}\n" for path in paths)
    answer = subprocess.run(["git", "cat-file", "--batch"], check=True, capture_output=True, input=request.encode()).stdout
    found = {}
    for path in paths:
        header, _, answer = answer.partition(b"\n")
        size = int(header.split()[2])
        found[path], answer = answer[:size].decode(), answer[size + 1 :]
    return found


def functions(path, text):
    """(lines, where) of each: braces are counted from its first line to the one that closes it."""
    lines = [QUOTED.sub("", line) for line in text.splitlines()]
    for start, line in enumerate(lines):
        if FUNCTION.match(line):
            depth, has_begun = 0, False
            for end in range(start, len(lines)):
                depth += lines[end].count("{") - lines[end].count("}")
                has_begun |= "{" in lines[end]
                if depth < 0 or (not has_begun and end > start and FUNCTION.match(lines[end])):
                    break  # a requirement of a protocol: it has no body
                if has_begun and depth == 0:
                    yield end - start + 1, f"{path}:{start + 1}"
                    break


def figures(revision, folders):
    found = files(revision, folders)
    lengths = sorted(len(text.splitlines()) for text in found.values())
    longest, where = max(function for path, text in found.items() for function in functions(path, text))
    return {
        "Swift files": f"{len(lengths):,}",
        "lines": f"{sum(lengths):,}",
        "lines of a file, median": f"{statistics.median(lengths):g}",
        "lines of a file, 90th percentile": f"{statistics.quantiles(lengths, n=10)[-1]:.0f}",
        "files under 40 lines": f"{sum(length < 40 for length in lengths):,}",
        "longest function, lines": f"{longest} (`{where.split('/')[-1]}`)",
        "`public` declarations": f"{sum(len(PUBLIC.findall(text)) for text in found.values()):,}",
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("revisions", nargs="*", default=["HEAD"])
    parser.add_argument("--tests", action="store_true")
    options = parser.parse_args()
    folders = ["Sources"] + (["Tests", "Benchmarks"] if options.tests else [])
    columns = [figures(revision, folders) for revision in options.revisions]
    print("| | " + " | ".join(options.revisions) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for name in columns[0]:
        print(f"| {name} | " + " | ".join(column[name] for column in columns) + " |")


if __name__ == "__main__":
    main()
