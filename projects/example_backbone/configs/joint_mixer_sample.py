_base_ = '../../../configs/seal/videopose_sample.py'
custom_imports = dict(imports='projects.example_backbone.joint_mixer')
model = dict(backbone=dict(_delete_=True, type='JointMixer', num_frames=27))
train_dataloader = dict(batch_size=32, dataset=dict(stride=27))
