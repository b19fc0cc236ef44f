"""The trial painter of the lab, until the trained one replaces it."""

from __future__ import annotations

import keras
from keras import ops

CHANNELS, BLOCKS, PAD = 32, 5, 12


def shapes():
    table = {}

    def conv(name, inputs, outputs, normed=True):
        table[name] = (3, 3, inputs, outputs)
        if normed:
            table.update({name + "g": (100, outputs), name + "g0": (outputs,)})
            table.update({name + "b": (100, outputs), name + "b0": (outputs,)})
        else:
            table[name + "c"] = (outputs,)

    conv("c0", 12, 16, False)
    conv("c1", 64, CHANNELS)
    for i in range(BLOCKS):
        conv(f"r{i}a", CHANNELS, CHANNELS)
        conv(f"r{i}b", CHANNELS, CHANNELS)
    conv("u0", CHANNELS, 64)
    conv("u1", 32, 16)
    conv("o", 16, 12, False)
    return table


def s2d(x, k):
    b, h, w, c = x.shape
    b = -1 if b is None else b
    x = ops.reshape(x, (b, h // k, k, w // k, k, c))
    return ops.reshape(ops.transpose(x, (0, 1, 3, 2, 4, 5)), (b, h // k, w // k, k * k * c))


def d2s(x, k):
    b, h, w, c = x.shape
    b = -1 if b is None else b
    x = ops.reshape(x, (b, h, w, k, k, c // (k * k)))
    return ops.reshape(ops.transpose(x, (0, 1, 3, 2, 4, 5)), (b, h * k, w * k, c // (k * k)))


@keras.saving.register_keras_serializable("vst")
class TrialPainter(keras.Model):
    """(B,H,W,3) in [0,1], sides multiples of 4, and (B,100) -> (B,H,W,3) in [0,1]."""

    def __init__(self):
        super().__init__(name="painter")
        self.kept = {
            n: self.add_weight(shape=s, name=n, initializer="zeros") for n, s in shapes().items()
        }
        self.built = True

    def norm(self, x, e, name):
        w = self.kept
        mean = ops.mean(x, (1, 2), keepdims=True)
        variance = ops.mean(ops.square(x - mean), (1, 2), keepdims=True)
        scale = 1 + ops.matmul(e, w[name + "g"]) + w[name + "g0"]
        shift = ops.matmul(e, w[name + "b"]) + w[name + "b0"]
        scale = scale[:, None, None] * ops.rsqrt(variance + 1e-5)
        return x * scale + (shift[:, None, None] - mean * scale)

    def conv(self, x, e, name, active=True, normed=True):
        x = ops.conv(x, self.kept[name], 1, "same")
        x = self.norm(x, e, name) if normed else x + self.kept[name + "c"]
        return ops.relu(x) if active else x

    def call(self, x, e):
        half = self.conv(s2d(x, 2), e, "c0", normed=False)
        y = self.conv(s2d(half, 2), e, "c1")
        for i in range(BLOCKS):
            y = y + self.conv(self.conv(y, e, f"r{i}a"), e, f"r{i}b", active=False)
        y = d2s(self.conv(y, e, "u0"), 2)
        y = self.conv(ops.concatenate([y, half], -1), e, "u1")
        y = self.conv(y, e, "o", active=False, normed=False)
        return ops.sigmoid(d2s(y, 2))
