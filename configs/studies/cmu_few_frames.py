# What unlabelled 2D is worth when one frame in a hundred has labels:
# docs/results/few_labels.md.
_base_ = './cmu_few_clips.py'
overrides = {
    'train_dataloader.dataset.by': 'frame',
    'train_dataloader.dataset.share': 0.01,
}
