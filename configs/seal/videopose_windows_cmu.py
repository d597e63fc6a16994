_base_ = [
    '../baseline/videopose_windows_cmu.py',
    '../_base_/seal/structure_windows.py',
]
