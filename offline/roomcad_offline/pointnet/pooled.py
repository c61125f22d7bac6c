"""Linear + batch norm + max over the points, without ever storing the layer's output.

The last point layer (256 -> 1024) holds 85 % of a PointNet's arithmetic. Its gradient after the
max pool is not zero at one point a channel only, and what batch norm adds to it is affine in the
layer's input. So the backward pass needs the covariance of the input (256 x 256) instead of the
whole output (points x 1024): the same numbers for a quarter of the arithmetic.
"""

import torch


def pooled_linear_norm(h, linear, norm):
    """Max over the points of batch_norm(linear(h)); training mode, updates running statistics.

    Args:
        h: (B, N, K) point features, float32 or bfloat16.
        linear: nn.Linear(K, C). Its bias cancels in the batch norm, so its gradient is zero.
        norm: nn.BatchNorm1d(C) with affine parameters.

    Returns:
        (B, C) float32, differentiable in h, linear.weight, norm.weight and norm.bias.
    """
    y, mean, variance = PooledLinearNorm.apply(h, linear.weight, norm.weight, norm.bias, norm.eps)
    with torch.no_grad():
        n = h.shape[0] * h.shape[1]
        bias = 0 if linear.bias is None else linear.bias
        norm.running_mean.lerp_(mean + bias, norm.momentum)
        norm.running_var.lerp_(variance * n / (n - 1), norm.momentum)
        norm.num_batches_tracked += 1
    return y


class PooledLinearNorm(torch.autograd.Function):
    """See pooled_linear_norm; also returns mean and biased variance of linear(h) - bias."""

    @staticmethod
    def forward(ctx, h, weight, gamma, beta, eps):
        mean_h = h.mean((0, 1), dtype=weight.dtype)
        centred = h - mean_h.to(h.dtype)
        # One product a cloud, summed in full precision: bfloat16 sums would round.
        covariance = (centred.transpose(1, 2) @ centred).sum(0, dtype=weight.dtype)
        covariance /= h.shape[0] * h.shape[1]
        mean = weight @ mean_h
        variance = ((weight @ covariance) * weight).sum(1).clamp_min(0)
        # Where gamma is negative the largest output belongs to the smallest product.
        signed = (weight * torch.where(gamma < 0, -1, 1)[:, None]).to(h.dtype)
        index = torch.stack([_argmax(signed @ cloud.T) for cloud in h])
        selected = torch.empty(index.shape, dtype=weight.dtype)
        for b, (cloud, rows) in enumerate(zip(h, index, strict=True)):
            selected[b] = (cloud[rows].to(weight.dtype) * weight).sum(1)
        scale = torch.rsqrt(variance + eps)
        normed = (selected - mean) * scale
        ctx.save_for_backward(h, weight, gamma, covariance, mean_h, scale, normed, index)
        ctx.mark_non_differentiable(mean, variance)
        return gamma * normed + beta, mean, variance

    @staticmethod
    def backward(ctx, dy, _mean, _variance):
        h, weight, gamma, covariance, mean_h, scale, normed, index = ctx.saved_tensors
        n = h.shape[0] * h.shape[1]
        d_beta, d_gamma = dy.sum(0), (dy * normed).sum(0)
        gain = gamma * scale  # d output / d product
        spread = gain * scale * d_gamma / n
        # Dense part: what mean and variance of the batch pass on to every point.
        inner = (weight.T * spread) @ weight
        shift = (gain * d_beta / n) @ weight - mean_h @ inner
        dh = h @ -inner.to(h.dtype) - shift.to(h.dtype)
        d_weight = -(gain * d_beta / n)[:, None] * (n * mean_h)
        d_weight -= spread[:, None] * n * (weight @ covariance)
        # Sparse part: the one point that won each channel.
        for b, rows in enumerate(index):
            g = (gain * dy[b])[:, None]
            d_weight += g * h[b][rows].to(weight.dtype)
            dh[b].index_add_(0, rows, (g * weight).to(h.dtype))
        return dh, d_weight, d_gamma, d_beta, None


def _argmax(products):
    """(C,) index of the largest entry of each row of (C, N); NumPy's is vectorised."""
    if products.dtype == torch.bfloat16:
        products = products.float()
    return torch.from_numpy(products.numpy().argmax(1))
