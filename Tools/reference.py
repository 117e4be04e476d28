#!/usr/bin/env python3
"""Writes the interface of openapi.yaml as the page that the server has at /docs.

python3 Tools/reference.py            writes the page
python3 Tools/reference.py --check    fails where it is stale

Needs PyYAML, which Tools/requirements.txt has.
"""

import argparse
import html
import json
import pathlib
import re
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = "Sources/Server/Pages/Files/docs.html"
PICTURE = "@picture.jpg"

HEAD = """<!doctype html>
<!-- Written by Tools/reference.py from openapi.yaml. -->
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>revq interface</title>
<link rel="icon" href="pages/icon.svg">
<link rel="stylesheet" href="pages/style.css">
<link rel="stylesheet" href="pages/reference.css">
<script type="module" src="pages/docs.js"></script>
<script type="module" src="pages/navigation.js"></script>
</head>
<body class="reference">
<a class="skip" href="#reference">To the interface</a>
<header>
  <a class="mark" href="./">revq</a>
  <p>The interface.</p>
  <nav aria-label="Pages"><a href="./">Playground</a><a href="docs" aria-current="page">Interface</a><a href="status">Status</a></nav>
</header>
"""
FOOT = """</main>
<footer><p>For programs: <a href="openapi.yaml">openapi.yaml</a>.</p></footer>
</body>
</html>
"""


def prose(text):
    """Paragraphs of Markdown, of which there are only code words and line breaks."""
    paragraphs = [re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(part, quote=False)) for part in re.split(r"\n\s*\n", str(text).strip())]
    return "".join(f"<p>{' '.join(part.split())}</p>" for part in paragraphs)


def inline(text):
    return prose(text).removeprefix("<p>").removesuffix("</p>") if text else ""


class Reference:
    def __init__(self, document):
        self.document = document

    def resolved(self, part):
        """What a `$ref` stands for, in the document itself."""
        while "$ref" in part:
            found = self.document
            for step in part["$ref"].removeprefix("#/").split("/"):
                found = found[step]
            part = found
        return part

    def page(self):
        operations = [(path, method, operation) for path, methods in self.document["paths"].items() for method, operation in methods.items()]
        contents = "".join(f'<li><a href="#{op["operationId"]}"><code>{path}</code></a></li>' for path, _, op in operations)
        contents += '<li><a href="#documents">Documents</a></li><li><a href="#problems">Problems</a></li>'
        sections = "".join(
            f'<h2 class="tag">{tag["name"].capitalize()}</h2>{prose(tag["description"])}'
            + "".join(self.operation(*entry) for entry in operations if entry[2]["tags"] == [tag["name"]])
            for tag in self.document["tags"]
        )
        introduction = f"<h1>{html.escape(self.document['info']['summary'])}</h1>{prose(self.document['info']['description'])}"
        body = introduction + sections + self.documents() + self.problems(operations)
        return f'{HEAD}<main id="reference" tabindex="-1">\n<nav class="contents" aria-label="On this page"><ul>{contents}</ul></nav>\n{body}\n{FOOT}'

    def operation(self, path, method, operation):
        name = operation["operationId"]
        body = self.resolved(operation["requestBody"]) if "requestBody" in operation else {}
        answer = operation["responses"]["200"]
        return (
            f'\n<section class="operation" id="{name}" data-method="{method.upper()}" data-path="{path}">'
            f'<h3><span class="method">{method.upper()}</span> <code>{path}</code> '
            f'<span class="summary">{html.escape(operation["summary"])}</span></h3>'
            + prose(operation.get("description", ""))
            + self.parameters([self.resolved(entry) for entry in operation.get("parameters", [])])
            + (f"<h4>Body</h4>{prose(body.get('description', ''))}{self.contents(body['content'])}" if body else "")
            + f"<h4>Answer</h4>{prose(answer['description'])}{self.contents(answer['content'])}{self.headers(answer.get('headers', {}))}"
            + self.refusals(operation)
            + f'<h4>In a shell</h4><pre tabindex="0">{html.escape(command(path, method, body))}</pre>'
            # A path of its own for each model is tried in a shell, as is what another port has, for who has a key.
            + ("" if "{" in path or "administration" in operation["tags"] else self.attempt(name, operation, body, list(answer["content"])))
            + "</section>"
        )

    @staticmethod
    def parameters(parameters):
        rows = [
            f'<tr><th scope="row"><code>{entry["name"]}</code></th><td>{entry["in"]}</td><td>{inline(entry["description"])}</td></tr>'
            for entry in parameters
        ]
        return table(["Parameter", "in", "what it says"], rows) if rows else ""

    def contents(self, content):
        rows = [
            f'<tr><th scope="row"><code>{html.escape(kind)}</code></th><td>{self.kind(entry["schema"])}</td></tr>' for kind, entry in content.items()
        ]
        return table(["Type", "what it is"], rows)

    def kind(self, schema):
        """One line about a schema; those with a name are described below."""
        if "$ref" in schema:
            name = schema["$ref"].split("/")
            return f'<a href="#{name[-1]}">{name[-1]}</a>' if name[2] == "schemas" else f"a list, as in {name[3]}"
        if "oneOf" in schema and not schema.get("description"):
            return " or ".join(self.kind(part) for part in schema["oneOf"])
        if schema.get("description"):
            return inline(schema["description"])
        if schema.get("type") == "array":
            return f"a list of {self.kind(schema['items'])}"
        return {"image/jpeg": "a JPEG file", "image/png": "a PNG file"}.get(schema.get("contentMediaType"), html.escape(schema.get("type", "bytes")))

    def headers(self, headers):
        rows = [
            f'<tr><th scope="row"><code>{name}</code></th><td>{inline(self.resolved(entry)["description"])}</td></tr>'
            for name, entry in headers.items()
        ]
        return table(["Header", "what it says"], rows) if rows else ""

    @staticmethod
    def refusals(operation):
        rows = [
            f'<tr><th scope="row">{status}</th><td>{", ".join(f"<code>{code}</code>" for code in answer["x-problem-codes"])}</td></tr>'
            for status, answer in operation["responses"].items()
            if "x-problem-codes" in answer
        ]
        return f"<details><summary>How it refuses</summary>{table(['Status', 'codes'], rows)}</details>"

    def attempt(self, name, operation, body, offers):
        """The form that docs.js sends."""
        fields = []
        if body and name != "decode":
            fields.append(f'<label class="field">Picture <input type="file" name="file" accept="image/*" aria-describedby="{name}-none"></label>')
            fields.append(f'<span class="note" id="{name}-none">or none, for a cat</span>')
        elif body:
            example = {"fingerprint": "", "tokens": []}
            fields.append(
                '<label class="field wide">Tokens <textarea name="body" rows="3" spellcheck="false">'
                f"{html.escape(json.dumps(example), quote=False)}</textarea></label>"
            )
            fields.append('<button type="button" class="fill">Take those of the cat</button>')
        for entry in map(self.resolved, operation.get("parameters", [])):
            if entry["in"] == "query":
                kind = "number" if entry["schema"]["type"] == "integer" else "text"
                fields.append(f'<label class="field">{entry["name"]} <input type="{kind}" name="query-{entry["name"]}"></label>')
        if len(offers) > 1:
            options = "".join(f"<option>{offer}</option>" for offer in offers)
            fields.append(f'<label class="field">Accept <select name="accept">{options}</select></label>')
        return (
            f'<form class="attempt" aria-label="Try {operation["summary"].lower()}">{"".join(fields)}<button class="primary">Send</button>'
            '<div class="outcome" role="status"></div></form>'
        )

    def documents(self):
        parts = ['<h2 class="tag" id="documents">Documents</h2>']
        for name, schema in self.document["components"]["schemas"].items():
            described = prose(schema.get("description", "")) + self.fields(schema) + self.example(name)
            parts.append(f'<section id="{name}"><h3>{name}</h3>{described}</section>')
        return "\n".join(parts)

    def fields(self, schema):
        rows = []
        for key, entry in schema.get("properties", {}).items():
            presence = "" if key in schema.get("required", []) else "may be missing. "
            rows.append(f'<tr><th scope="row"><code>{key}</code></th><td>{presence}{self.kind(entry)}</td></tr>')
        return table(["Field", "what it is"], rows) if rows else ""

    def example(self, name):
        example = self.document["components"]["examples"].get(name)
        return f'<pre tabindex="0">{html.escape(json.dumps(example["value"], indent=2), quote=False)}</pre>' if example else ""

    @staticmethod
    def problems(operations):
        statuses = {}
        for _, _, operation in operations:
            for status, answer in operation["responses"].items():
                for code in answer.get("x-problem-codes", []):
                    statuses.setdefault((status, code), []).append(operation)
        rows = [
            f'<tr><th scope="row"><code>{code}</code></th><td>{status}</td><td>'
            + ", ".join(f'<a href="#{operation["operationId"]}">{operation["operationId"]}</a>' for operation in where)
            + "</td></tr>"
            for (status, code), where in sorted(statuses.items())
        ]
        return f'<h2 class="tag" id="problems">Problems</h2>{table(["Code", "status", "of"], rows)}'


def table(names, rows):
    head = "".join(f'<th scope="col">{name}</th>' for name in names)
    return f'<div class="scroll" tabindex="0"><table><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def command(path, method, body):
    tokens = ".decode" if path.endswith("infer") and "version" in path else ".encode"
    url = f"http://127.0.0.1:8080{path.replace('{model}', 'default' + tokens).replace('{version}', '3')}"
    if method == "get":
        return f"curl -s {url}"
    if path.endswith("/infer"):
        return f"curl -s -H 'Content-Type: application/json' --data-binary @request.json {url}"
    if path == "/decode":
        return f"curl -s --data-binary @tokens.json -H 'Content-Type: application/json' {url} > picture.png"
    return f"curl -s --data-binary {PICTURE} {url} > {'tokens.json' if path == '/encode' else 'picture.png'}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing; fail where the page is stale")
    options = parser.parse_args()
    page, written = Reference(yaml.safe_load((ROOT / "openapi.yaml").read_text())).page(), ROOT / PAGE
    if not options.check:
        written.write_text(page)
    elif written.read_text() != page:
        sys.exit(f"{PAGE} is stale: run make format")


if __name__ == "__main__":
    main()
