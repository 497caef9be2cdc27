#!/usr/bin/env bash
# Train the central model that comes with the package, and put it there.
#
#   scripts/train_embedded_central.sh HER2ST_FOLDER [DEVICE]
#
# Tissue: her2st sections C2-C5 (patient C; Andersson et al. 2021, CC BY 4.0). The sample slide is patient B: what
# `c2lst adapt` does with it is a true step from a central model to another patient's slide.
# About half an hour on two CPU cores; it goes on where it stopped when started again.
set -euo pipefail
cd "$(dirname "$0")/.."
her2st=${1:?"the folder of her2st, with C2 to C5 in it"}
device=${2:-cpu}
run=runs/central-her2st

.venv/bin/c2lst pretrain "$her2st/C2" "$her2st/C3" "$her2st/C4" "$her2st/C5" \
  --out "$run" --name her2st-breast --preset small --device "$device" --checkpoint-every 500 --preview-every 0 \
  --licence "CC BY 4.0 (the tissue's licence; cite Andersson et al. 2021)" \
  --data-note "her2st sections C2-C5, one patient (C), HER2-positive breast cancer, H&E at 0.69 um/px; \
Andersson et al. 2021, CC BY 4.0"

rm -rf src/napari_c2lst/data/central
cp -r "$run/central" src/napari_c2lst/data/central
chmod -R a+r src/napari_c2lst/data/central
.venv/bin/python - <<'PY'
from napari_c2lst.diffusion.cards import write_card
from napari_c2lst.diffusion.central import embedded_folder, load_central

note = """Retrain with `scripts/train_embedded_central.sh`.

It has seen one patient's tissue: tumour, stroma, immune cells, lumina, hardly any fat. Use it to try things out, not for \
a study."""
write_card(load_central("embedded"), embedded_folder(), retrain=note)
PY
du -sh src/napari_c2lst/data/central
