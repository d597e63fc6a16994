_base_ = './simple_baseline.py'
model = dict(skeleton='coco_wholebody133', backbone=dict(type='LargeSimpleBaseline'))
