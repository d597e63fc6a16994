_base_ = './jointformer_h3wb.py'
# The second step: a network that refines the poses of the first, whose checkpoint
# load_from names and which stays as it is.
model = dict(backbone=dict(refinement=dict(embed_dims=128, intermediate=True)))
train_cfg = dict(max_epochs=30)
published = dict(
    MPJPE=88.3, source='wholebody3d/wholebody3d benchmark (2D to 3D, whole body)'
)
