#!/usr/bin/env bash
# Makes a checkpoint from nothing but seeds, with revq-train alone: procedural pictures, no photograph. The third version of "default" was made so.
#   examples/from-seeds/train.sh [WORK [CHECKPOINTS]]
# WORK keeps pictures, runs and latents (about 800 MB); every step goes on where it was interrupted.
# CHECKPOINTS is the folder to publish into, as its next version of "default".
# Bits are reproduced on the same kind of processor; another one rounds differently and gives a checkpoint of equal quality.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=${1:-runs/from-seeds}
checkpoints=${2:-checkpoints}
PATH=$here/../../.build/release:$PATH
train=${REVQ_TRAIN:-revq-train}

# Seeded procedural pictures, 2.7 core-minutes. Each step deals them by their contents, and all alike: 80 % are learned from, 10 % chosen by,
# 10 % reported on.
"$train" synthesize --output "$work/pictures" --count 6000 --size 256 --seed 1

# The autoencoder: a linear code of patches, their principal components. 0.2 core-minutes.
"$train" vae --images "$work/pictures" --output "$work/vae" --architecture "$here/architecture.json" --size 256 \
  --steps 0 --seed 1

# The frozen encoder runs once. 0.3 core-minutes.
"$train" extract --images "$work/pictures" --vae "$work/vae/vae" --output "$work/latents"

# Normaliser, transform and codes. 1.2 core-minutes.
"$train" fit --latents "$work/latents" --vae "$work/vae/vae" --output "$work/fit" --method lloyd --tokens 512 --codes 16384 \
  --grouping klt-2 --codebooks one --distortion weighted --start k-means++ --passes 12 --seed 1

# A refiner behind the decoder, trained on exactly these tokens. 30 core-minutes.
"$train" vae --images "$work/pictures" --from "$work/vae/vae" --fit "$work/fit/fit" --output "$work/refined" \
  --architecture "$here/refined.json" --size 256 --crop 128 --steps 5000 --batch 16 --learning-rate 1e-3 --warmup 200 \
  --averaging 0.998 --seed 1

# The next version of "default", measured on 256 pictures of the reporting part, which no step above has met.
"$train" publish --vae "$work/refined/vae" --fit "$work/refined/fit" --images "$work/pictures" --most 256 --name default \
  --checkpoints "$checkpoints"
