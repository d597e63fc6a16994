# Truth for a few clips alone, which are half of every batch; here the other half, of
# unlabelled windows, is left out. docs/few_labels.md.
_base_ = ['../baseline/simplebaseline_cmu.py']
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='FewLabels',
        dataset={{_base_.train_dataloader.dataset}},
        share=0.05,
        by='clip',
    ),
    batch_sampler=dict(type='FewLabelsBatchSampler', labelled=0.5, unlabelled=False),
)
