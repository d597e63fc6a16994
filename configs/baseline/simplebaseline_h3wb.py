_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/h3wb.py',
    '../_base_/models/h3wb_simple_baseline.py',
    '../_base_/schedules/simple_baseline_200e.py',
]
train_dataloader = dict(batch_size=64)
published = dict(
    MPJPE=125.4, source='wholebody3d/wholebody3d benchmark (2D to 3D, whole body)'
)
