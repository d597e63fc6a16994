_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/h3wb.py',
    '../_base_/models/jointformer.py',
    '../_base_/schedules/jointformer_50e.py',
]
model = dict(skeleton='coco_wholebody133', backbone=dict(embed_dims=128))
train_dataloader = dict(batch_size=64)
