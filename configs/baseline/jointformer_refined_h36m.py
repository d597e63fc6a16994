_base_ = './jointformer_h36m.py'
# The second step: a network that refines the poses of the first, whose checkpoint
# load_from names and which stays as it is.
model = dict(
    backbone=dict(
        refinement=dict(embed_dims=256, ffn_dims=1024, num_layers=2, head_dropout=0.1)
    )
)
train_cfg = dict(max_epochs=30)
published = dict(
    keypoints='cpn', MPJPE=50.5, source='Lutz et al., ICPR 2022', second_hand=True
)
