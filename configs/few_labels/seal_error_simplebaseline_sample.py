_base_ = ['./baseline_simplebaseline_sample.py', '../_base_/seal/unlabelled_error.py']
train_dataloader = dict(batch_sampler=dict(unlabelled=True))
