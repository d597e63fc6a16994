_base_ = ['./baseline_simplebaseline_sample.py']
train_dataloader = dict(batch_sampler=dict(unlabelled=True))
model = dict(losses=dict(symmetry=dict(type='SymmetryLoss', weight=0.1)))
