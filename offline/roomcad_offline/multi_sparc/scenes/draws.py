"""Random tensors from one torch.Generator, on its device."""

import torch
from torch.nn.functional import interpolate


class Draws:
    """Draws float32 tensors; `*shape` are sizes."""

    def __init__(self, generator):
        self.generator, self.device = generator, generator.device

    def uniform(self, low, high, *shape):
        """Uniform between two numbers or tensors."""
        return low + (high - low) * self._unit(shape)

    def normal(self, sigma, *shape):
        """Normal with mean 0."""
        return sigma * torch.randn(shape, generator=self.generator, device=self.device)

    def flag(self, share, *shape):
        """True with a probability (number or tensor)."""
        return self._unit(shape) < share

    def integer(self, below, *shape):
        """int64 from 0 to `below` - 1, a number or a tensor >= 1."""
        return (self._unit(shape) * below).long().clamp(max=below - 1)

    def direction(self, *shape):
        """Unit vectors (*shape, 3), equally likely in all directions."""
        vector = torch.randn(*shape, 3, generator=self.generator, device=self.device)
        return vector / vector.norm(dim=-1, keepdim=True).clamp(min=1e-6)

    def smooth(self, batch, channels, height, width, cell):
        """(batch, channels, height, width) noise of about unit deviation, alike over `cell` px."""
        rows, columns = max(2, round(height / cell) + 1), max(2, round(width / cell) + 1)
        coarse = self.normal(1.5, batch, channels, rows, columns)  # interpolation lowers it to 1
        return interpolate(coarse, (height, width), mode="bilinear", align_corners=False)

    def _unit(self, shape):
        return torch.rand(shape, generator=self.generator, device=self.device)
