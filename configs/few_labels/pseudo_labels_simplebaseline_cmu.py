_base_ = ['./baseline_simplebaseline_cmu.py', '../_base_/few_labels/mean_teacher.py']
train_dataloader = dict(batch_sampler=dict(unlabelled=True))
# What the pose-net sees disturbed and its teacher clean.
model = dict(augmentations=[dict(type='DetectorNoise', sigma=5.0)])
