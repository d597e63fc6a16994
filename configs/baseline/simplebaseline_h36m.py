_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/h36m.py',
    '../_base_/models/simple_baseline.py',
    '../_base_/schedules/simple_baseline_200e.py',
]
train_dataloader = dict(batch_size=64)
