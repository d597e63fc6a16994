default_scope = 'sealpose'
default_hooks = dict(
    runtime_info=dict(type='DeferredScalarsHook'),
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=50),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(
        type='WholeCheckpointHook',
        interval=1,
        max_keep_ckpts=2,
        save_best='MPJPE',
        rule='less',
    ),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    epoch_seed=dict(type='EpochSeedHook'),
    finite=dict(type='FiniteHook', policy='stop'),
    data_wait=dict(type='DataWaitHook'),
    plain_checkpoint=dict(type='PlainCheckpointHook'),
    preemption=dict(type='PreemptionHook'),
    log_files=dict(type='LogFilesHook'),
    shared_buffers=dict(type='SharedBuffersHook'),
    short_history=dict(type='ShortHistoryHook'),
)
env_cfg = dict(mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0))
log_processor = dict(by_epoch=True)
log_level = 'INFO'
visualizer = dict(type='Visualizer', vis_backends=[dict(type='LocalVisBackend')])
# A seed is needed to resume: without one, a resumed run orders its data anew.
randomness = dict(seed=0)
load_from = None
resume = False
