_base_ = './windows.py'
sample = dict(type='SampleMotion')
train_dataloader = dict(dataset=sample)
val_dataloader = dict(dataset=sample)
test_dataloader = dict(dataset=sample)
del sample
