#!/usr/bin/env python3
"""Writes a man page for revq-train and for each of its commands, from what the program says about its options.

python3 Tools/manual.py PROGRAM FOLDER
"""

import json
import pathlib
import subprocess
import sys


def escaped(text):
    """Text of a page: no line is an instruction, and dashes stay dashes."""
    lines = text.replace("\\", "\\e").replace("-", "\\-").split("\n")
    return "\n".join("\\&" + line if line.startswith((".", "'")) else line for line in lines)


def synopsis(argument):
    name, value = argument["valueName"], f"<{argument['valueName']}>"
    if argument["kind"] != "positional":
        name = "--" + argument["preferredName"]["name"]
        value = name if argument["kind"] == "flag" else f"{name} <{argument['valueName']}>"
    value += " …" if argument["isRepeating"] else ""
    return f"[{value}]" if argument["isOptional"] else value


def options(arguments):
    for argument in arguments:
        names = [("--" if name["kind"] == "long" else "-") + name["name"] for name in argument.get("names", [])]
        label = ", ".join(names) or argument["valueName"]
        if argument["kind"] == "option":
            label += f" <{argument['valueName']}>"
        text = argument.get("abstract", "")
        if "defaultValue" in argument:
            text += f" (default: {argument['defaultValue']})"
        yield f".TP\n.B {escaped(label)}\n{escaped(text)}"


def discussion(text):
    """Examples keep their lines."""
    prose, _, examples = text.partition("Examples:\n")
    yield escaped(prose.strip())
    if examples:
        yield f".SH EXAMPLES\n.nf\n{escaped(examples.rstrip())}\n.fi"


def page(command, above):
    words = above + [command["commandName"]]
    arguments = [argument for argument in command.get("arguments", []) if argument["shouldDisplay"]]
    commands = [child for child in command.get("subcommands", []) if child["commandName"] != "help"]
    name = "-".join(words)
    usage = " ".join(words + (["<command>"] if commands else []) + [synopsis(argument) for argument in arguments])
    parts = [f'.TH "{name.upper()}" 1', f".SH NAME\n{escaped(name)} \\- {escaped(command.get('abstract', ''))}"]
    parts += [f".SH SYNOPSIS\n{escaped(usage)}", ".SH DESCRIPTION", *discussion(command.get("discussion", ""))]
    parts += [".SH OPTIONS", *options(arguments)]
    if commands:
        parts += [".SH COMMANDS"] + [f".TP\n.B {escaped(name + '-' + child['commandName'])}(1)\n{escaped(child['abstract'])}" for child in commands]
    yield name, "\n".join(part for part in parts if part) + "\n"
    for child in commands:
        yield from page(child, words)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    dump = subprocess.run([sys.argv[1], "--experimental-dump-help"], check=True, capture_output=True, text=True).stdout
    folder = pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in page(json.loads(dump)["command"], []):
        (folder / f"{name}.1").write_text(text)


if __name__ == "__main__":
    main()
