# Loaders and metrics common to all data sets. The window of each data set is filled in
# from the backbone; set input_frames, output_frames or stride to decide otherwise.
# Gathering a batch takes less than sending it from another process; docs/scaling.md has
# what else there is: device_store, PrefetchHook, shards.
loader = dict(num_workers=0, collate_fn=dict(type='sealpose.take_batch'))
in_order = dict(type='DefaultSampler', shuffle=False, round_up=False)
train_dataloader = dict(
    batch_size=256,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(split='train'),
    **loader,
)
val_dataloader = dict(
    batch_size=16, sampler=in_order, dataset=dict(split='val'), **loader
)
test_dataloader = dict(
    batch_size=16, sampler=in_order, dataset=dict(split='test'), **loader
)
del loader, in_order
val_evaluator = dict(type='PoseMetric', measures=['MPJPE', 'P-MPJPE', 'LSE'])
test_evaluator = dict(type='PoseMetric')
