_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/h36m.py',
    '../_base_/models/jointformer.py',
    '../_base_/schedules/jointformer_50e.py',
]
train_dataloader = dict(batch_size=256)
