_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/h36m.py',
    '../_base_/models/graphmlp.py',
    '../_base_/schedules/graphmlp_20e.py',
]
train_dataloader = dict(batch_size=256)
published = dict(keypoints='cpn', MPJPE=44.5, source='Vegetebird/GraphMLP README')
