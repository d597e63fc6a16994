_base_ = ['./baseline_simplebaseline_sample.py']
train_dataloader = dict(batch_sampler=dict(unlabelled=True))
model = dict(
    losses=dict(
        reprojection=dict(type='ReprojectionLoss', weight=0.3),
        bones=dict(type='BoneLengthPriorLoss', weight=0.1),
    )
)
