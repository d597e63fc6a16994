_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/cmu.py',
    '../_base_/models/videopose3d.py',
    '../_base_/schedules/short.py',
]
# Every fourth window, for the schedule that docs/results/cmu_published.md reports.
train_dataloader = dict(dataset=dict(stride=4))
train_cfg = dict(max_epochs=12, val_interval=4)
# Seed 0; docs/results/cmu_published.md.
measured = dict(
    baseline=dict(MPJPE=53.32, P_MPJPE=44.65),
    seal_published=dict(MPJPE=53.49, P_MPJPE=45.01),
)
