"""The Lamb optimiser (You et al. 2020): Adam whose step is scaled to each matrix's own norm."""

import torch


class Lamb(torch.optim.Optimizer):
    """Adam with bias correction; a tensor w moves by lr · (|w| / |u|) · u, u = Adam's direction.

    As in the authors' BERT recipe, vectors (biases, gains of norms) are neither scaled nor
    decayed: they start at zero, where a step in proportion to their norm would not move them.

    Args:
        parameters: tensors or groups of them.
        learning_rate: step, the relative change of a matrix.
        betas: decay of the two moments.
        eps: added to the root of the second moment.
        weight_decay: decay of matrices, part of the direction u.
        largest_norm: |w| counts at most this much.
    """

    def __init__(
        self,
        parameters,
        learning_rate=1e-3,
        betas=(0.9, 0.999),
        eps=1e-6,
        weight_decay=0.0,
        largest_norm=10.0,
    ):
        if learning_rate <= 0 or eps <= 0 or not all(0 <= b < 1 for b in betas):
            got = f"{learning_rate}, {eps}, {betas}"
            raise ValueError(
                f"Lamb needs learning_rate and eps above 0, betas in [0, 1); got {got}"
            )
        defaults = {"lr": learning_rate, "betas": betas, "eps": eps}
        super().__init__(
            parameters, {**defaults, "weight_decay": weight_decay, "largest_norm": largest_norm}
        )

    @torch.no_grad()
    def step(self, closure=None):
        """One step; returns the closure's loss, if there is a closure."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    self._move(weight, group)
        return loss

    def _move(self, weight, group):
        state = self.state[weight]
        if not state:
            state["step"] = 0
            state["mean"], state["square"] = torch.zeros_like(weight), torch.zeros_like(weight)
        state["step"] += 1
        direction = _adam_direction(weight.grad, state, group)
        rate = group["lr"]
        if weight.ndim > 1:
            direction = direction.add(weight, alpha=group["weight_decay"])
            rate = rate * _trust(weight, direction, group["largest_norm"])
        weight.sub_(direction * rate)


def _adam_direction(gradient, state, group):
    """Adam's step of unit size; the moments in `state` move on."""
    fast, slow = group["betas"]
    state["mean"].lerp_(gradient, 1 - fast)
    state["square"].lerp_(gradient.square(), 1 - slow)
    mean = state["mean"] / (1 - fast ** state["step"])
    root = (state["square"] / (1 - slow ** state["step"])).sqrt()
    return mean / (root + group["eps"])


def _trust(weight, direction, largest_norm):
    """|weight| / |direction|, or 1 where either is zero; a tensor, so that a GPU need not wait."""
    own, step = weight.norm().clamp(max=largest_norm), direction.norm()
    return torch.where((own > 0) & (step > 0), own / step.clamp(min=1e-12), torch.ones_like(own))
