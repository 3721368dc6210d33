#!/usr/bin/env bash
# Measures proving and verifying, ours and EZKL's, on the same models in one run, and writes zkml/BENCHMARKS.md.
# EZKL needs Python with venv and most of an hour; PEERS=no leaves it out, ONLY=name measures one model.
# Run it on an idle machine.
set -euo pipefail
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-$PWD/target}
work=$target/bench-zkml
python=$work/venv/bin/python
# The report needs all models, so the figures of one go elsewhere.
figures=$work/ours${ONLY:+-$ONLY}.json
bench() { "$target/release/bench-zkml" --out "$figures" "$@"; }
say() { echo "bench: $*" >&2; }
mkdir -p "$work/peers" "$work/generated" "$work/srs"

prepare() {
    [ -x "$python" ] || python3 -m venv "$work/venv" || return 1
    "$python" -m pip install --quiet --requirement bench/peers/requirements.txt || return 1
    "$python" bench/peers/shapes.py --out "$work/generated"
}
say "installing EZKL and writing the generated networks"
if prepare; then
    generated=(--generated "$work/generated")
else
    say "Python or its packages are missing: EZKL and the generated networks are left out"
    PEERS=no generated=()
fi

say "measuring ours"
bench "${generated[@]}" --only "${ONLY:-}"

# Measures EZKL on a model: its short name, then the arguments of ezkl_peer.py.
peer() {
    local key=$1
    shift
    case $key in "${ONLY:-}"*) ;; *) return 0 ;; esac
    say "measuring EZKL on $key"
    rm -f "$work/peers/$key.json"
    "$python" bench/peers/ezkl_peer.py "$@" --threads 2 1 --search-seconds "${SEARCH:-300}" --srs "$work/srs" \
        --out "$work/peers/$key.json" 2>"$work/peers/$key.log" || say "see $work/peers/$key.log"
}
# The same for trees, which EZKL takes as plain operators.
trees() {
    local key=$1 model=$2 data=$3
    case $key in "${ONLY:-}"*) ;; *) return 0 ;; esac
    "$python" bench/peers/trees_to_onnx.py --model "$model" --input "$data-test-x.npy" \
        --out "$work/generated/$key.onnx" --out-input "$work/generated/$key-x.npy"
    peer "$key" --model "$work/generated/$key.onnx" --input "$work/generated/$key-x.npy" --labels "$data-test-y.npy"
}
if [ "${PEERS:-yes}" = yes ]; then
    for name in digits mnist; do
        peer $name --model models/$name.onnx --input models/$name-test-x.npy --labels models/$name-test-y.npy \
            --calibration models/$name-calibration.npy
    done
    peer lenet --model models/networks/lenet.onnx --input models/mnist-test-x.npy --labels models/mnist-test-y.npy \
        --calibration models/mnist-calibration.npy
    peer encoder --model models/networks/encoder.onnx --input models/digits-test-x.npy --labels models/digits-test-y.npy \
        --calibration models/digits-calibration.npy
    trees forest-iris models/trees/forest-iris.onnx models/trees/iris
    trees xgboost-cancer models/trees/xgboost-cancer.json models/trees/cancer
    for name in dense-4m cnn-264k; do
        peer $name --model "$work/generated/$name.onnx" --input "$work/generated/$name-x.npy" \
            --calibration "$work/generated/$name-calibration.npy"
    done
fi
[ -n "${ONLY:-}" ] || bench --report "$work/peers"
