_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/cmu.py',
    '../_base_/models/mixste.py',
    '../_base_/schedules/short.py',
]
# Small enough for minutes on two cores.
model = dict(backbone=dict(num_frames=9, embed_dims=64, depth=3))
train_dataloader = dict(batch_size=32)
train_cfg = dict(max_epochs=4, val_interval=4)
