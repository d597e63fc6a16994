# Human3.6M with ground-truth 2D.
_base_ = './h36m.py'
gt = dict(dataset=dict(keypoints='gt'))
train_dataloader = gt
val_dataloader = gt
test_dataloader = gt
del gt
