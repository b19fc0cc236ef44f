"""Keyframe pickers: they choose the frames that represent a style video. One file each; `PICKERS`
lists them by name.
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
