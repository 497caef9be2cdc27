#!/usr/bin/env bash
# Train the narrow HoVer-Net that comes with the package, score it, and put it there.
#
#   scripts/train_embedded_cells.sh CONSEP_FOLDER [DEVICE] [EPOCHS]
#
# Nuclei: CoNSeP's train split (Graham et al. 2019; released for research) as images/ inst/ type/, each with train/ and
# test/; the scores are of its test split. Four epochs from random weights; with EPOCHS a second round from these at half the
# learning rate. Four more gained on CoNSeP (PQ 0.324 to 0.365) but lost on the sample slide, whose nuclei are darker: the
# package has the first round, whose rate followed the cosine of eight epochs until it was cut to four. About 4 minutes an epoch on two idle cores; it goes on where it stopped.
set -euo pipefail
cd "$(dirname "$0")/.."
consep=${1:?"the folder of CoNSeP, with images, inst and type in it"}
device=${2:-cpu}
epochs=${3:-0}
first=runs/cells-consep
second=runs/cells-consep-2
target=src/napari_c2lst/data/cells
# threads that spin while they wait slow each other down on a busy machine
export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-passive}

train() {
    .venv/bin/c2lst train-cells "$consep" --name consep-narrow --preset small --device "$device" --colour 0.2 \
        --types "miscellaneous,inflammatory,epithelial,spindle-shaped" \
        --licence "research use: CoNSeP is released for research, and no other terms are stated" \
        --data-note "CoNSeP's train split, 27 tiles of 1000 x 1000 px at 40x (0.25 um/px), colorectal adenocarcinoma, H&E; \
Graham et al. 2019" "$@"
}

train --out "$first" --epochs 0,4
run=$first
if [ "$epochs" -gt 0 ]; then
    train --out "$second" --weights "$first" --epochs "0,$epochs" --learning-rate 1e-3
    run=$second
fi

mkdir -p "$target"
cp "$run/hovernet.safetensors" "$target/hovernet.safetensors"
cp "$run/README.md" "$target/README.md"
chmod -R a+rX "$target"
du -sh "$target"
