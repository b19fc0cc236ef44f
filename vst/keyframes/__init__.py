"""Keyframe pickers: which pictures stand for a style video. One file each; this is the table of
their names.
"""

from vst.core.registry import Registry

PICKERS = Registry(
    "picker",
    {
        "middle": "vst.keyframes.middle:MiddlePicker",
        "scene": "vst.keyframes.scene:ScenePicker",
        "change": "vst.keyframes.change:ChangePicker",
        "diverse": "vst.keyframes.diverse:DiversePicker",
        "manual": "vst.keyframes.manual:ManualPicker",
    },
)
