_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/h36m.py',
    '../_base_/models/pstmo.py',
    '../_base_/schedules/pstmo_80e.py',
]
# Published with a masked pre-training and every other frame of 486; here from scratch.
train_dataloader = dict(batch_size=160)
published = dict(keypoints='cpn', MPJPE=43.0, source='paTRICK-swk/P-STMO README')
