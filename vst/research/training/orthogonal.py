"""An optimizer for convolutions: it brings the singular values of each step near 1, so that a
kernel learns no direction later than others (Jordan et al., "Muon: an optimizer for hidden
layers in neural networks", 2024).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

ROUNDS = 5
STEEP, MIDDLE, LEVEL = 3.4445, -4.7750, 2.0315
"""The coefficients of the Newton–Schulz rounds, from the same work: singular values from far below
1 land between 0.7 and 1.2 within five rounds.
"""


def orthogonalize(matrix: Any) -> Any:
    """Bring the singular values of a matrix near 1; it must not have more rows than columns."""
    matrix = matrix / (ops.norm(matrix) + 1e-7)
    for _ in range(ROUNDS):
        square = ops.matmul(matrix, ops.transpose(matrix))
        mixed = MIDDLE * square + LEVEL * ops.matmul(square, square)
        matrix = STEEP * matrix + ops.matmul(mixed, matrix)
    return matrix


def is_kernel(variable: Any, sides: Sequence[int] = (3,)) -> bool:
    """Whether a variable is the kernel of a convolution with one of these sides."""
    return any(len(variable.shape) == 4 and tuple(variable.shape[:2]) == (n, n) for n in sides)


@keras.saving.register_keras_serializable("vst")
class Orthogonal(keras.optimizers.Adam):
    """Orthogonal steps for the kernels with one of the ``sides``, Adam's for everything else.

    ``kernel_rate``: the learning rate of kernels as a multiple of ``learning_rate``; ``momentum``:
    the share of a kernel's last direction that is kept. Variables whose names end with one of
    ``slow`` learn at ``slow_rate`` of the rate.
    """

    def __init__(
        self,
        learning_rate: float = 1e-3,
        kernel_rate: float = 12.0,
        momentum: float = 0.95,
        sides: Sequence[int] = (3,),
        slow: Sequence[str] = (),
        slow_rate: float = 0.3,
        **options: Any,
    ):
        options.setdefault("beta_2", 0.99)
        super().__init__(learning_rate, **options)
        self.kernel_rate, self.momentum, self.sides = kernel_rate, momentum, tuple(sides)
        self.slow, self.slow_rate = tuple(slow), slow_rate

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        # Under TensorFlow, ``variable`` is a backend's own, with a number at the end of its name.
        name = self._trainable_variables[self._get_variable_index(variable)].name
        if name.endswith(self.slow):
            learning_rate = self.slow_rate * learning_rate
        if not is_kernel(variable, self.sides):
            super().update_step(gradient, variable, learning_rate)
            return
        kept = self._momentums[self._get_variable_index(variable)]
        gradient = ops.cast(gradient, variable.dtype)
        self.assign(kept, self.momentum * kept + gradient)
        ahead = gradient + self.momentum * kept
        outputs = variable.shape[-1]
        inputs = variable.shape[0] * variable.shape[1] * variable.shape[2]
        matrix = ops.reshape(ahead, (inputs, outputs))
        step = ops.transpose(orthogonalize(ops.transpose(matrix)))
        size = max(1.0, inputs / outputs) ** 0.5 * self.kernel_rate
        rate = ops.cast(learning_rate, variable.dtype)
        self.assign_sub(variable, rate * size * ops.reshape(step, variable.shape))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "kernel_rate": self.kernel_rate,
            "momentum": self.momentum,
            "sides": list(self.sides),
            "slow": list(self.slow),
            "slow_rate": self.slow_rate,
        }
