"""The study's training recipes and how a network is trained by one."""

from dataclasses import asdict, dataclass

import torch
from torch.nn import functional

from roomcad_offline.pointnet.fit import FitConfig, fit
from roomcad_offline.pointnet.network import PointNet
from roomcad_offline.scan_gap import perturb


@dataclass(frozen=True)
class Recipe:
    """Augmentations of one retraining; clouds are z up."""

    rotations: int = 1  # size of the fixed rotation pool; 1 = canonical orientation
    about: str = "any"  # axes of the pool: any (SO(3), the post's) or up (gravity is known)
    background: bool = False  # replace 100, 250 or 500 points by clutter, half the time


RECIPES = {
    "baseline": Recipe(),
    "rot32": Recipe(rotations=32),
    "rot32_bg": Recipe(rotations=32, background=True),
    "yaw32": Recipe(rotations=32, about="up"),
    "yaw32_bg": Recipe(rotations=32, about="up", background=True),
}


def train(name, clouds, folder, config=None):
    """Train the post's PointNet on Clouds by recipe `name`; resumable.

    Returns:
        The trained network, in evaluation mode.
    """
    config = config or FitConfig()
    recipe = RECIPES[name]
    torch.manual_seed(config.seed)
    network = PointNet(len(clouds.classes))
    about = {"recipe": name, **asdict(recipe), "classes": clouds.classes, "clouds": len(clouds)}

    def batches(rng):
        return augmented_batches(clouds, recipe, config, rng)

    fit(network, batches, cross_entropy, config, folder, about)
    return network.eval()


def augmented_batches(clouds, recipe, config, rng):
    """Yield (points (B, N, 3), labels (B,)) of one epoch in random order."""
    pool = make_pool(recipe, config.seed)
    order = rng.permutation(len(clouds))
    for start in range(0, len(order), config.batch):
        index = order[start : start + config.batch]
        points = clouds.points[index]
        if recipe.background:
            points = perturb.augment_background(points, rng)
        if pool is not None:
            points = perturb.rotate(points, pool, rng)
        yield torch.from_numpy(points), torch.from_numpy(clouds.labels[index])


def make_pool(recipe, seed):
    """(K, 3, 3) rotation pool of a recipe, or None for the canonical orientation."""
    if recipe.rotations == 1:
        return None
    if recipe.about == "up":
        return perturb.yaw_pool(recipe.rotations)
    return perturb.rotation_pool(recipe.rotations, seed)


def cross_entropy(network, batch):
    """Loss and accuracy of a batch."""
    points, labels = batch
    logits = network(points).float()
    loss = functional.cross_entropy(logits, labels)
    return loss, {"accuracy": (logits.argmax(1) == labels).float().mean()}
