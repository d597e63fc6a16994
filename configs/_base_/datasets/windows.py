# Loaders and metrics common to all data sets. The window of each data set is filled in
# from the backbone; set input_frames, output_frames or stride to decide otherwise.
train_dataloader = dict(
    batch_size=256,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='sealpose.take_batch'),
    dataset=dict(split='train'),
)
val_dataloader = dict(
    batch_size=16,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    collate_fn=dict(type='sealpose.take_batch'),
    dataset=dict(split='val'),
)
test_dataloader = dict(
    batch_size=16,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    collate_fn=dict(type='sealpose.take_batch'),
    dataset=dict(split='test'),
)
val_evaluator = dict(type='PoseMetric', measures=['MPJPE', 'P-MPJPE', 'LSE'])
test_evaluator = dict(type='PoseMetric')
