_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/h36m.py',
    '../_base_/models/dstformer.py',
    '../_base_/schedules/dstformer_120e.py',
]
# Published with stacked-hourglass 2D, confidences and 2.5D targets; here in metres.
train_dataloader = dict(batch_size=32, dataset=dict(stride=81))
published = dict(
    keypoints='sh_ft',
    MPJPE=39.2,
    P_MPJPE=33.4,
    source='Walter0807/MotionBERT README (2.5D protocol)',
)
