#!/usr/bin/env bash
# Test a checkpoint on several GPUs of one or more machines:
#   tools/dist_test.sh CONFIG CHECKPOINT GPUS [ARGUMENTS of tools/test.py]
# Several machines, the port and the CPU: as in tools/dist_train.sh.
set -euo pipefail
if [ $# -lt 3 ]; then
  sed -n '2,4s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
config=$1 checkpoint=$2 gpus=$3
shift 3
root=$(cd "$(dirname "$0")/.." && pwd)
export PYTHONPATH="$root${PYTHONPATH:+:$PYTHONPATH}"
exec "${PYTHON:-python}" -m torch.distributed.run \
  --nnodes="${NNODES:-1}" \
  --node_rank="${NODE_RANK:-0}" \
  --master_addr="${MASTER_ADDR:-127.0.0.1}" \
  --master_port="${PORT:-29500}" \
  --nproc_per_node="$gpus" \
  "$root/tools/test.py" "$config" "$checkpoint" --launcher pytorch "$@"
