#!/usr/bin/env bash
# Train VideoPose3D without and with SEAL on generated motion, test both, compare, draw.
# Called by `make demo`. DEMO_OPTIONS holds settings for --cfg-options of every step.
set -euo pipefail
PYTHON=${PYTHON:-python}
DEMO_DIR=${DEMO_DIR:-work_dirs/demo}
options=()
if [ -n "${DEMO_OPTIONS:-}" ]; then
  read -ra settings <<<"$DEMO_OPTIONS"
  options=(--cfg-options "${settings[@]}")
fi

progress() {  # LOG COMMAND...: run, keep the whole log, show how it goes
  local log=$1
  shift
  mkdir -p "$(dirname "$log")"
  if ! "$@" 2>&1 | tee "$log" | { grep --line-buffered -o 'Epoch(.*' || true; }; then
    tail -n 20 "$log" >&2
    exit 1
  fi
}

run_arm() {  # NAME CONFIG
  local dir=$DEMO_DIR/$1
  echo "== $1: training $2 (whole log: $dir/train.log)"
  progress "$dir/train.log" "$PYTHON" tools/train.py "$2" --work-dir "$dir" \
    "${options[@]}"
  echo "== $1: testing"
  progress "$dir/test.log" "$PYTHON" tools/test.py "$2" "$(cat "$dir/last_checkpoint")" \
    --work-dir "$dir" --out "$dir.json" --save-predictions "$dir.npz" "${options[@]}"
}

run_arm baseline configs/baseline/videopose_sample.py
run_arm seal configs/seal/videopose_sample.py

"$PYTHON" tools/analysis_tools/compare.py "$DEMO_DIR"/{baseline,seal}.json \
  | tee "$DEMO_DIR/comparison.txt"
"$PYTHON" tools/analysis_tools/draw_poses.py "$DEMO_DIR"/{baseline,seal}.npz \
  --out "$DEMO_DIR/poses.png"
echo
echo "Outputs:"
echo "  table        $DEMO_DIR/comparison.txt"
echo "  picture      $DEMO_DIR/poses.png"
echo "  figures      $DEMO_DIR/baseline.json, $DEMO_DIR/seal.json"
echo "  checkpoints  $(cat "$DEMO_DIR/baseline/last_checkpoint"),"
echo "               $(cat "$DEMO_DIR/seal/last_checkpoint")"
