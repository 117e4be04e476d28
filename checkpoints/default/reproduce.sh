#!/usr/bin/env bash
# Makes the default checkpoint from nothing but seeds, with revq-train alone.
#   checkpoints/default/reproduce.sh [WORK [CHECKPOINTS]]
# WORK keeps pictures, runs and latents (about 800 MB); every step goes on where it was interrupted.
# CHECKPOINTS is the folder to publish into, as its next version of "default".
# Bits are reproduced on the same kind of processor; another one rounds differently and gives a checkpoint of equal quality.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=${1:-runs/default}
checkpoints=${2:-checkpoints}
PATH=$here/../../.build/release:$PATH
train=${REVQ_TRAIN:-revq-train}

# Core-minutes are those of README.md beside this file. README.md of the repository shows what follows: `make format` copies it.
# The steps.

# Seeded procedural pictures. The 64 held-out ones are measured on and shipped as golden images; nothing is trained on them.
"$train" synthesize --output "$work/pictures" --count 6000 --size 256 --seed 1
"$train" synthesize --output "$work/held-out" --count 64 --size 256 --seed 2

# The autoencoder: a linear code of patches, their principal components. 0.2 core-minutes.
"$train" vae --images "$work/pictures" --output "$work/vae" --architecture "$here/architecture.json" --size 256 --held-out 16 \
  --steps 0 --seed 1

# The frozen encoder runs once. 0.3 core-minutes.
"$train" extract --images "$work/pictures" --vae "$work/vae/vae" --output "$work/latents"

# Normaliser, transform and codes. 1.2 core-minutes.
"$train" fit --latents "$work/latents" --vae "$work/vae/vae" --output "$work/fit" --method lloyd --tokens 512 --codes 16384 \
  --grouping klt-2 --codebooks one --distortion weighted --start k-means++ --passes 12 --held-out 64 --seed 1

# A refiner behind the decoder, trained on exactly these tokens. 30 core-minutes.
"$train" vae --images "$work/pictures" --from "$work/vae/vae" --fit "$work/fit/fit" --output "$work/refined" \
  --architecture "$here/refined.json" --size 256 --crop 128 --held-out 16 --steps 5000 --batch 16 --learning-rate 1e-3 --warmup 200 \
  --averaging 0.998 --seed 1

# The next version of "default", measured.
"$train" publish --vae "$work/refined/vae" --fit "$work/refined/fit" --images "$work/held-out" --held-out 64 --name default \
  --checkpoints "$checkpoints"
