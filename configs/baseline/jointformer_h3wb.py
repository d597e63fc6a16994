_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/h3wb.py',
    '../_base_/models/jointformer.py',
    '../_base_/schedules/jointformer_50e.py',
]
# The published coarse and refinement networks.
model = dict(skeleton='coco_wholebody133', backbone=dict(embed_dims=128))
train_dataloader = dict(batch_size=64)
published = dict(
    MPJPE=88.3, source='wholebody3d/wholebody3d benchmark (2D to 3D, whole body)'
)
