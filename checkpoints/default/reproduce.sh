#!/usr/bin/env bash
# Makes the default checkpoint from photographs, with revq-train alone.
#   checkpoints/default/reproduce.sh PHOTOGRAPHS PERCEPTUAL [WORK [CHECKPOINTS]]
# PHOTOGRAPHS is a folder or a list of them, such as those of DATA.md; PERCEPTUAL a file of Tools/perceptual.py st_lpips_alex.
# WORK keeps runs and latents (about 700 MB); every step goes on where it was interrupted.
# CHECKPOINTS is the folder to publish into, as its next version of "default".
# Bits are reproduced from the same files on the same kind of processor; another one rounds differently and gives a checkpoint of equal quality.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
photographs=${1:?a folder of photographs}
perceptual=${2:?a perceptual network, made by Tools/perceptual.py}
work=${3:-runs/default}
checkpoints=${4:-checkpoints}
PATH=$here/../../.build/release:$PATH
train=${REVQ_TRAIN:-revq-train}

# Minutes are of two cores. README.md of the repository shows what follows: `make format` copies it.
# The steps.

# The autoencoder: a linear code of patches, their principal components. Each step deals the photographs by their contents, and all alike.
"$train" vae --images "$photographs" --output "$work/vae" --architecture "$here/architecture.json" --size 256 \
  --split 92/4/4 --split-seed 1 --steps 0 --seed 1

# The frozen encoder runs once, on sixteen squares of each.
"$train" extract --images "$photographs" --vae "$work/vae/vae" --output "$work/latents" --crops 8 --scales 1 1.5 \
  --split 92/4/4 --split-seed 1

# Normaliser, transform and codes.
"$train" fit --latents "$work/latents" --vae "$work/vae/vae" --output "$work/fit" --method lloyd --tokens 512 --codes 16384 \
  --grouping klt-2 --codebooks one --distortion weighted --start k-means++ --passes 10 --seed 1

# A refiner behind the decoder, trained on exactly these tokens: first for the least error, in two runs,
"$train" vae --images "$photographs" --from "$work/vae/vae" --fit "$work/fit/fit" --output "$work/plain" \
  --architecture "$here/refined.json" --size 256 --crop 128 --scale 2 --batch 8 --shards 2 --split 92/4/4 --split-seed 1 \
  --steps 2000 --learning-rate 1e-3 --warmup 50 --averaging 0.99 --measure-every 200 --loss mse --seed 1

"$train" vae --images "$photographs" --from "$work/plain/vae" --fit "$work/plain/fit" --output "$work/nearer" \
  --architecture "$here/refined.json" --size 256 --crop 128 --scale 2 --batch 8 --shards 2 --split 92/4/4 --split-seed 1 \
  --steps 4000 --learning-rate 1e-3 --warmup 50 --averaging 0.99 --measure-every 200 --loss mse --seed 3

# then to look right,
"$train" vae --images "$photographs" --from "$work/nearer/vae" --fit "$work/nearer/fit" --output "$work/real" \
  --architecture "$here/refined.json" --size 256 --crop 128 --scale 2 --batch 8 --shards 2 --split 92/4/4 --split-seed 1 \
  --steps 500 --learning-rate 5e-4 --warmup 30 --averaging 0.99 --measure-every 100 --loss mse \
  --perceptual "$perceptual" --perceptual-weight 0.04 --seed 2

# and last more gently so, which makes a weave of four pixels in dark places fainter.
"$train" vae --images "$photographs" --from "$work/real/vae" --fit "$work/real/fit" --output "$work/gentle" \
  --architecture "$here/refined.json" --size 256 --crop 128 --scale 2 --batch 8 --shards 2 --split 92/4/4 --split-seed 1 \
  --steps 200 --learning-rate 2e-4 --warmup 20 --averaging 0.99 --measure-every 100 --loss mse \
  --perceptual "$perceptual" --perceptual-weight 0.025 --seed 4

# The next version of "default", measured on photographs that no step above has met.
"$train" publish --vae "$work/gentle/vae" --fit "$work/gentle/fit" --images "$here/../../Tests/Photographs" --name default \
  --checkpoints "$checkpoints"
