"""A small network learns eight fixed images by heart: losses, gradients and labels fit together."""

import pytest

torch = pytest.importorskip("torch", reason="training needs torch: make setup-train")

from roomcad_core.library import Library  # noqa: E402
from roomcad_offline.multi_sparc.config import (  # noqa: E402
    InputConfig,
    ModelConfig,
    NetworkConfig,
)
from roomcad_offline.multi_sparc.inputs import sample_pattern, view_of  # noqa: E402
from roomcad_offline.multi_sparc.judge import auc  # noqa: E402
from roomcad_offline.multi_sparc.lamb import Lamb  # noqa: E402
from roomcad_offline.multi_sparc.losses import training_losses  # noqa: E402
from roomcad_offline.multi_sparc.network import MultiSparc  # noqa: E402
from roomcad_offline.multi_sparc.pose import LOGIT  # noqa: E402
from roomcad_offline.multi_sparc.refine import predict  # noqa: E402
from roomcad_offline.multi_sparc.sampling import (  # noqa: E402
    SamplingConfig,
    classifier_poses,
    update_poses,
)
from roomcad_offline.multi_sparc.scenes import (  # noqa: E402
    CadBank,
    SceneConfig,
    SceneGenerator,
    Source,
)

SMALL = ModelConfig(
    NetworkConfig(n_mul=3, n_latent=8, width=96, blocks=2, self_layers=1, cross_heads=4,
                  self_heads=4, head_width=24, ff_mult=2),
    InputConfig(64, 64, paired=True, object_frame=True),
)  # fmt: skip
STEPS, RATE = 250, 5e-3
UPDATED = torch.zeros(8, dtype=torch.bool)


@pytest.fixture(scope="module")
def images():
    full = Library.load()
    models = [*full.of_class("chair")[:3], *full.of_class("table")[:2], *full.of_class("sofa")[:2]]
    bank = CadBank.build([Source(Library(models, full.folder))])
    return SceneGenerator(bank, SceneConfig(n_mul=3, width=80, height=60), seed=5).batch(8)


def test_eight_images_are_learnt_by_heart(images):
    torch.manual_seed(0)
    network, pattern = MultiSparc(SMALL), sample_pattern(SMALL.inputs.n_bbox)
    optimiser = Lamb(network.parameters(), learning_rate=RATE)
    view, generator = view_of(images), torch.Generator().manual_seed(1)
    start = update_poses(images, SamplingConfig(), pattern, generator)
    judged = classifier_poses(images, generator)

    def losses():
        moved = training_losses(predict(network, view, start, pattern), start, images, UPDATED,
                                "2sigmoid")  # fmt: skip
        output = predict(network, view, judged, pattern)
        return moved.align, training_losses(output, judged, images, ~UPDATED, "2sigmoid"), output

    with torch.no_grad():
        before, _, _ = losses()
    for step in range(STEPS):
        share = min((step + 1) / 50, 1, (STEPS - step) / (0.4 * STEPS))
        optimiser.param_groups[0]["lr"] = RATE * share
        align, judgement, _ = losses()
        optimiser.zero_grad()
        (align + judgement.classify).backward()
        optimiser.step()
    with torch.no_grad():
        after, judgement, output = losses()
    assert after < before / 10
    valid, label = images.valid, judgement.label
    assert 0 < label[valid].sum() < valid.sum()
    assert auc(output[..., LOGIT][valid], label[valid]) > 0.9
