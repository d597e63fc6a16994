_base_ = './simple_baseline.py'
# The published network drops units at test time too (dropout_in_eval=True); ours does
# not.
model = dict(skeleton='coco_wholebody133', backbone=dict(type='H3WBSimpleBaseline'))
