_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/h36m.py',
    '../_base_/models/motionagformer.py',
    '../_base_/schedules/motionagformer_60e.py',
]
# The variant B; motionagformer_{xs,s,l}_h36m.py are the others. Published with stacked-
# hourglass 2D, confidences and 2.5D targets; here in metres like every other network.
model = dict(backbone=dict(variant='B', num_frames=243))
train_dataloader = dict(batch_size=16, dataset=dict(stride=81))
published = dict(
    keypoints='sh_ft',
    MPJPE=38.4,
    P_MPJPE=32.6,
    source='Mehraban et al., WACV 2024 (2.5D protocol)',
    second_hand=True,
)
