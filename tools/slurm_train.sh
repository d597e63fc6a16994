#!/usr/bin/env bash
# Train under Slurm; one task for each GPU:
#   GPUS=16 tools/slurm_train.sh PARTITION JOB_NAME CONFIG WORK_DIR [ARGUMENTS of train.py]
# Variables: GPUS (8), GPUS_PER_NODE (8, or GPUS where fewer), CPUS_PER_TASK (5),
# SRUN_ARGS (further arguments of srun), MAX_REQUEUES (100).
#
# A run that Slurm stops (time limit, preemption) saves a checkpoint and ends with code
# 75. It is then started again from there: inside a job of sbatch by requeueing the job,
# else by another srun. To be told before the time limit (at it, there are only KillWait
# seconds to save, and a job of sbatch ends):
#   sbatch --signal=TERM@120 --requeue ...      or      SRUN_ARGS='--signal=TERM@120'
# MASTER_PORT (from the number of the job) must differ between runs inside one job.
set -euo pipefail
if [ $# -lt 4 ]; then
  sed -n '2,13s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
partition=$1 job_name=$2 config=$3 work_dir=$4
shift 4
readonly REQUEUE=75
gpus=${GPUS:-8}
per_node=${GPUS_PER_NODE:-$((gpus < 8 ? gpus : 8))}
root=$(cd "$(dirname "$0")/.." && pwd)
export PYTHONPATH="$root${PYTHONPATH:+:$PYTHONPATH}"

resume=()
if [ "${SLURM_RESTART_COUNT:-0}" -gt 0 ]; then
  resume=(--resume)
fi
for ((attempt = 0; attempt <= ${MAX_REQUEUES:-100}; attempt++)); do
  code=0
  # One task's clean exit must not end the others: the main process may be saving. But
  # if one dies, the others wait for it; give them up after some minutes.
  # shellcheck disable=SC2086 # SRUN_ARGS are several words
  srun --partition="$partition" --job-name="$job_name" --ntasks="$gpus" \
    --ntasks-per-node="$per_node" --gres="gpu:$per_node" \
    --cpus-per-task="${CPUS_PER_TASK:-5}" --kill-on-bad-exit=0 --wait=300 \
    ${SRUN_ARGS:-} \
    "${PYTHON:-python}" -u "$root/tools/train.py" "$config" \
    --work-dir "$work_dir" --launcher slurm "${resume[@]}" "$@" || code=$?
  if [ "$code" -ne "$REQUEUE" ]; then
    exit "$code"
  fi
  if [ -n "${SLURM_JOB_ID:-}" ]; then
    if scontrol requeue "$SLURM_JOB_ID"; then
      exit 0
    fi
    echo "$0: job $SLURM_JOB_ID cannot be requeued; that takes sbatch --requeue. The" \
      "run is saved: give the same command with --resume" >&2
    exit "$code"
  fi
  resume=(--resume)
done
exit "$code"
