#!/usr/bin/env python3
"""Shows the lines of Tests/LibraryTests that use the library in README.md, so that the example there compiles.

python3 Tools/example.py [--check]
"""

import textwrap

import marked

TEST = "Tests/LibraryTests/LibraryTests.swift"


def draw(root):
    lines = (root / TEST).read_text().split("// README\n")[1].split("// end")[0].rstrip()
    return "```swift\nimport Foundation\nimport TokenizerCore\n\n" + textwrap.dedent(lines) + "\n```"


if __name__ == "__main__":
    marked.main(__doc__, "README.md", "example", "Tools/example.py", draw)
