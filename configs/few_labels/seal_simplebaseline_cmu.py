_base_ = ['./baseline_simplebaseline_cmu.py', '../_base_/seal/graph_margin_small.py']
train_dataloader = dict(batch_sampler=dict(unlabelled=True))
