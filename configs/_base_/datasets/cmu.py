_base_ = './windows.py'
cmu = dict(type='CMUMocap', data_root='data/cmu')
train_dataloader = dict(dataset=cmu)
val_dataloader = dict(dataset=cmu)
test_dataloader = dict(dataset=cmu)
del cmu
