#!/usr/bin/env bash
# Train the narrow HoVer-Net that comes with the package, score it, and put it there.
#
#   scripts/train_embedded_cells.sh CONSEP_FOLDER [DEVICE] [EPOCHS]
#
# Nuclei: CoNSeP's train split (Graham et al. 2019; released for research) as images/ inst/ type/, each with train/ and
# test/; the scores are of its test split. Two minutes an epoch on two idle cores; it goes on where it stopped when
# started again.
set -euo pipefail
cd "$(dirname "$0")/.."
consep=${1:?"the folder of CoNSeP, with images, inst and type in it"}
device=${2:-cpu}
epochs=${3:-20}
run=runs/cells-consep-$epochs
target=src/napari_c2lst/data/cells
# threads that spin while they wait slow each other down on a busy machine
export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-passive}

# the stains of other laboratories differ more than those of CoNSeP's one: --colour 0.4
.venv/bin/c2lst train-cells "$consep" --out "$run" --name consep-narrow --preset small --device "$device" \
    --epochs "0,$epochs" --colour 0.4 --types "miscellaneous,inflammatory,epithelial,spindle-shaped" \
    --licence "research use: CoNSeP is released for research, and no other terms are stated" \
    --data-note "CoNSeP's train split, 27 tiles of 1000 x 1000 px at 40x (0.25 um/px), colorectal adenocarcinoma, H&E; \
Graham et al. 2019"

mkdir -p "$target"
cp "$run/hovernet.safetensors" "$run/README.md" "$target/"
chmod -R a+rX "$target"
du -sh "$target"
