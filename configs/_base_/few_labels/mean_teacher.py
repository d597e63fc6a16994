# Pseudo-labels for the unlabelled windows, from a moving average of the pose-net.
custom_hooks = [dict(type='MeanTeacherHook', weight=1.0, decay=0.99, warmup_iters=1000)]
