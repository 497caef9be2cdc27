#!/usr/bin/env bash
# Everything that wants a GPU, in one go: train the embedded central model at length, the narrow and the full HoVer-Net,
# then measure sampling, adaptation, the loader and the forward of the nuclei network.
#
#   benchmarks/on_a_gpu.sh HER2ST CONSEP OUT [--peer FOLDER] [--quick]
#
# HER2ST has the folders C2 to C5, CONSEP images/ inst/ type/. About 25 minutes on one data-centre GPU; whatever was
# finished is not done again when the same command is repeated. A part that fails is named at the end, and the others
# go on. `--peer FOLDER` measures sampling beside denoising-diffusion-pytorch (see benchmarks/sampling.py). `--quick`
# tries the script itself: a few steps of each on the CPU, whose figures mean nothing.
set -uo pipefail
cd "$(dirname "$0")/.."
her2st=${1:?"the folder of her2st, with C2 to C5 in it"}
consep=${2:?"the folder of CoNSeP, with images, inst and type in it"}
out=${3:?"where models and figures go"}
shift 3
peer="" device=cuda quick=""
while [ $# -gt 0 ]; do
    case "$1" in
        --peer) peer=$2; shift 2 ;;
        --quick) quick=yes; device=cpu; shift ;;
        *) echo "what is '$1'? see the top of this script" >&2; exit 2 ;;
    esac
done
python=${PYTHON:-.venv/bin/python}
c2lst=("$python" -m napari_c2lst.cli.main)
mkdir -p "$out"
failed=()

part() { # name, command...
    echo "== $1"
    local begin=$SECONDS
    if "${@:2}" 2>&1 | tee "$out/$1.log"; then echo "== $1: $((SECONDS - begin)) s"; else failed+=("$1"); fi
}

if [ "$quick" ]; then
    central=(--steps 2 --batch 4 --tiles-per-slide 8 --kid-every 0 --held-out 0)
    narrow=(--width 0.0625 --epochs 0,1 --batch 4,4) full=(--width 0.0625 --epochs 0,1)
    times=(--turns 1) images=0 tiles=2000
else
    central=(--steps 15000 --batch 128 --held-out 0.1 --kid-every 3000)
    narrow=(--epochs 0,60 --batch 16,16) full=(--epochs 0,40 --batch 16,8 --learning-rate 4e-4)
    times=(--turns 20) images=500 tiles=100000
fi

part central "${c2lst[@]}" pretrain "$her2st"/C{2,3,4,5} --out "$out/central" --preset small --name her2st-breast \
    --device "$device" "${central[@]}"
nuclei() {
    part "$1" "${c2lst[@]}" train-cells "$consep" --out "$out/$1" --name "$1" --preset small --device "$device" \
        --colour 0.4 --types "miscellaneous,inflammatory,epithelial,spindle-shaped" "${@:2}"
}
nuclei nuclei-narrow --width 0.25 "${narrow[@]}"
nuclei nuclei-full --width 1 "${full[@]}"

part loader "$python" benchmarks/loader.py --device "$device" --tiles "$tiles" --batch "$([ "$quick" ] && echo 2 || echo 256)"
part adaptation "$python" benchmarks/adaptation.py --device "$device" "${times[@]}" \
    --network "$([ "$quick" ] && echo embedded || echo both)"
part slide "$python" - "$out" "$device" "$quick" <<'PY'
import sys
from pathlib import Path

import napari_c2lst as c2lst

out, device, quick = Path(sys.argv[1]), sys.argv[2], bool(sys.argv[3])
slide = out / "B4.zarr"
if not slide.exists():
    c2lst.convert(c2lst.sample_slide(), slide)
    c2lst.select(slide, name="train", fraction=0.25)
c2lst.adapt(slide, spots="train", out=out / "local", preset="small", device=device, steps=2 if quick else 1000)
PY
if [ "$peer" ]; then
    part sampling "$python" benchmarks/sampling.py "$out/B4.zarr" "$out/local" --peer "$peer" --device "$device" \
        --images "$images" --batch "$([ "$quick" ] && echo 2 || echo 100)" --slow --keep "$out/peer"
fi
part stain "$python" benchmarks/stain.py "$out/B4.zarr" "$out/B4.zarr" --device "$device" \
    --count "$([ "$quick" ] && echo 20 || echo 200)" --few 1
part forward "$python" benchmarks/cells.py forward

if [ ${#failed[@]} -gt 0 ]; then
    echo "not done: ${failed[*]} (logs in $out)" >&2
    exit 1
fi
echo "all done; logs, models and scores are in $out"
