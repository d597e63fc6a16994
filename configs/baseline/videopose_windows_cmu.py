# Predicts 27 neighbouring frames of every window, and all frames, so that a loss-net
# can see them together: docs/results/windows.md.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/cmu.py',
    '../_base_/models/videopose3d.py',
    '../_base_/schedules/short.py',
]
train_dataloader = dict(
    batch_size=16,
    dataset=dict(input_frames=53, output_frames=27, stride=13),
)
train_cfg = dict(max_epochs=4, val_interval=4)
