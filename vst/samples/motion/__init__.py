"""Films that are drawn with exact optical flow and exact occlusions: `clips` composes them out of
`layers`, one of which can be a `face` that talks.
"""
