# Other keypoints, actions, subjects, frame rates: docs/datasets/human36m.md.
_base_ = './windows.py'
h36m = dict(type='Human36M', data_root='data/h36m', keypoints='cpn_ft_h36m_dbb')
train_dataloader = dict(batch_size=1024, dataset=h36m)
val_dataloader = dict(dataset=h36m)
test_dataloader = dict(dataset=h36m)
del h36m
