#!/usr/bin/env python3
"""Shows the steps of checkpoints/default/reproduce.sh in README.md, so that there is one recipe.

python3 Tools/recipe.py [--check]
"""

import marked

SCRIPT = "checkpoints/default/reproduce.sh"
# What a reader types in the place of the script's variables.
WORDS = {
    "$here/../../": "",
    '"$train"': "revq-train",
    "$work": "runs/default",
    "$here": "checkpoints/default",
    "$photographs": "photographs",
    "$perceptual": "st_lpips_alex.safetensors",
    "$checkpoints": "checkpoints",
}


def draw(root):
    steps = (root / SCRIPT).read_text().split("# The steps.\n")[1].strip()
    for variable, word in WORDS.items():
        steps = steps.replace(variable, word)
    # Quotation marks were there for the variables.
    return "```sh\nPATH=$PWD/.build/release:$PATH\n" + steps.replace('"', "") + "\n```"


if __name__ == "__main__":
    marked.main(__doc__, "README.md", "recipe", "Tools/recipe.py", draw)
