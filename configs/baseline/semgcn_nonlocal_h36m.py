_base_ = './semgcn_h36m.py'
# The 16 joints, without the nose, whose pairs the published non-local layers pool.
model = dict(skeleton='h36m16', backbone=dict(non_local=True))
h36m16 = dict(dataset=dict(skeleton='h36m16'))
train_dataloader = h36m16
val_dataloader = h36m16
test_dataloader = h36m16
del h36m16
train_cfg = dict(max_epochs=30)
published = dict(
    keypoints='gt', MPJPE=40.78, P_MPJPE=31.46, source='garyzhao/SemGCN README'
)
