_base_ = './windows.py'
h3wb = dict(type='H3WB', data_root='data/h3wb')
train_dataloader = dict(dataset=h3wb)
val_dataloader = dict(dataset=h3wb)
test_dataloader = dict(dataset=h3wb)
del h3wb
val_evaluator = dict(measures=['MPJPE', 'H3WB-whole', 'LSE'])
test_evaluator = dict(
    measures=[
        'H3WB-whole', 'H3WB-body', 'H3WB-face', 'H3WB-face-nose', 'H3WB-hands',
        'H3WB-hands-wrist', 'MPJPE', 'P-MPJPE',
        'LSE', 'LSE-body', 'LSE-face', 'LSE-hands',
        'BSLE', 'BSLE-body', 'BSLE-face', 'BSLE-hands',
    ]
)  # fmt: skip
