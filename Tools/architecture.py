#!/usr/bin/env python3
"""Holds the modules' arrows to the rules, and draws them into ARCHITECTURE.md.

    python3 Tools/architecture.py            writes the drawing between its markers
    python3 Tools/architecture.py --check    fails where a rule is broken or the drawing is stale
    python3 Tools/architecture.py --root DIR looks at another tree

The compiler sees what a target declares, but lets a file import whatever a neighbour happens to have built. So the imports are read too.
Types that ARCHITECTURE.md and CONTRIBUTING.md name, alone or with a member, must still be declared.

Tests/ArchitectureTests holds the rules of the arrows in Swift as well, for `make test`; both are kept alike.
"""

import re

import marked

# Modules of the toolchain, which no target declares.
TOOLCHAIN = {"Dispatch", "Foundation", "FoundationEssentials", "Glibc", "PackageDescription", "Synchronization", "Testing"}

CORE, SERVER, TRAINING = "Sources/TokenizerCore/", "Sources/Server/", "Sources/Training/"
TOKENS = ("Compute", "Images", "Networks", "TokenizerCore")
# From, to, why: module names, or folders with all modules in them. What holds for an arrow holds for every path of arrows.
FORBIDDEN = [
    (SERVER, TRAINING, "the service and the trainer meet only in a checkpoint's files"),
    (TRAINING, SERVER, "the service and the trainer meet only in a checkpoint's files"),
    *(("HTTPTransport", module, "the transport carries bytes and knows no tokens") for module in TOKENS),
    (CORE, SERVER, "the tokenizer has no sockets"),
    ("Compute", "Networks", "kernels know no layers"),
    ("Threads", "Sources/", "threads know nothing that runs on them"),
]
# Foundation brings the sockets' own names with it, so that an import does not tell.
SOCKET_NAMES = re.compile(r"\b(sockaddr\w*|AF_INET6?|AF_UNIX|SOCK_STREAM|epoll_\w+)\b")

TARGET = re.compile(r"\.(systemLibrary|target|executableTarget|testTarget)\(\s*name: \"([^\"]+)\"")
IMPORT = re.compile(
    r"^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|internal|fileprivate|private)\s+)?"
    r"import\s+(?:(?:struct|class|enum|protocol|typealias|func|var|let)\s+)?(\w+)",
    re.MULTILINE,
)

DECLARATION = re.compile(r"\b(?:struct|class|enum|protocol|actor|typealias)\s+(\w+)")
# In the documents: a type, one with a member, a facet, a file. Words in capitals are no names of ours.
NAMED = re.compile(r"`([A-Z]\w*[a-z]\w*(?:\.\w+|\+\w+)*)(?:\([\w:]*\))?`")


class Target:
    def __init__(self, kind, name, declaration, products):
        self.kind, self.name = kind, name
        path = re.search(r"path: \"([^\"]+)\"", declaration)
        self.path = path[1] if path else f"{'Tests' if kind == 'testTarget' else 'Sources'}/{name}"
        listed = re.search(r"dependencies: \[(.*?)\]", declaration, re.DOTALL)
        words = re.findall(r"\.(?:product|target)\(\s*name: \"(\w[\w-]*)\"[^)]*\)|\"([\w-]+)\"|(\w+)", listed[1] if listed else "")
        self.dependencies = [quoted or inline or products.get(word, word) for inline, quoted, word in words]


def read_targets(root):
    """In the order of Package.swift."""
    text = re.sub(r"(^|\s)//.*", r"\1", (root / "Package.swift").read_text())
    products = dict(re.findall(r"let (\w+) = Target\.Dependency\.product\(\s*name: \"(\w+)\"", text))
    found = list(TARGET.finditer(text, text.index("targets: [\n")))
    ends = [match.start() for match in found[1:]] + [len(text)]
    return [Target(match[1], match[2], text[match.start() : end], products) for match, end in zip(found, ends, strict=True)]


def sources(root, target):
    folder = root / target.path
    return sorted(folder.rglob("*.swift")) if folder.is_dir() else []


def imports(file):
    return set(IMPORT.findall(file.read_text()))


def reachable(name, by_name):
    """Every target that some path of arrows leads to."""
    found, waiting = set(), [name]
    while waiting:
        for dependency in by_name[waiting.pop()].dependencies:
            if dependency in by_name and dependency not in found:
                found.add(dependency)
                waiting.append(dependency)
    return found


def violations(root):
    targets = read_targets(root)
    by_name = {target.name: target for target in targets}
    order = {target.name: index for index, target in enumerate(targets)}
    problems = []
    for target in targets:
        for dependency in target.dependencies:
            if order.get(dependency, -1) >= order[target.name]:
                problems.append(f"{target.name} -> {dependency} points up: {dependency} is listed below it in Package.swift")
        for file in sources(root, target):
            where = file.relative_to(root)
            for module in sorted(imports(file) - TOOLCHAIN - set(target.dependencies) - {target.name}):
                problems.append(f"{where} imports {module}, which {target.name} does not declare")
            if target.path.startswith(CORE) and (word := SOCKET_NAMES.search(file.read_text())):
                problems.append(f"{where} says {word[0]}: the tokenizer has no sockets")
        for source, goal, reason in FORBIDDEN:
            if matches(target, source):
                for other in sorted(name for name in reachable(target.name, by_name) if matches(by_name[name], goal)):
                    problems.append(f"{target.name} -> {other} is forbidden: {reason}")
    return problems + list(unknown_names(root))


def unknown_names(root):
    """What the documents call a type or a member of one, and no source declares: it was renamed, or is the name of a file."""
    sources = [file for folder in ("Sources", "Tests", "Benchmarks") for file in (root / folder).rglob("*") if file.suffix in (".swift", ".h")]
    texts = [file.read_text() for file in sources]
    types = {name for text in texts for name in DECLARATION.findall(text)} | {target.name for target in read_targets(root)}
    words = {word for text in texts for word in re.findall(r"\w+", text)}
    files = {file.name for file in [*sources, *root.glob("*.swift")]} | {file.stem for file in sources if "+" in file.name}
    for page in ("ARCHITECTURE.md", "CONTRIBUTING.md"):
        for name in sorted(set(NAMED.findall((root / page).read_text()))):
            base, *members = name.split(".")
            if name not in files and (base not in types or not words.issuperset(members)):
                yield f"{page} names {name}, which no source declares"


def matches(target, rule):
    return target.path.startswith(rule) if rule.endswith("/") else target.name == rule


def drawing(root):
    """Only arrows that no longer path implies; the table below them has all."""
    targets = [target for target in read_targets(root) if target.path.startswith("Sources/")]
    by_name = {target.name: target for target in targets}
    lines = ["```mermaid", "flowchart TD"]
    for folder in (CORE, SERVER, TRAINING):
        lines.append(f"  subgraph {folder.strip('/').replace('/', '_')}[{folder.strip('/')}]")
        lines += [f"    {identifier(target.name)}[{target.name}]" for target in targets if target.path.startswith(folder)]
        lines.append("  end")
    for target in targets:
        own = [name for name in target.dependencies if name in by_name]
        implied = set().union(*(reachable(name, by_name) for name in own))
        lines += [f"  {identifier(target.name)} --> {identifier(name)}" for name in own if name not in implied]
    lines += ["```", "", "Bottom-up, with every arrow; what is not named here is not importable:", ""]
    lines += ["| module | folder | may import |", "|---|---|---|"]
    lines += [f"| {target.name} | `{target.path}` | {', '.join(target.dependencies)} |" for target in targets]
    return "\n".join(lines)


def identifier(name):
    return name.replace("-", "_")


if __name__ == "__main__":
    marked.main(__doc__, "ARCHITECTURE.md", "drawing", "Tools/architecture.py", drawing, violations)
