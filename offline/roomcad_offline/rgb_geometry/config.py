"""Settings of the depth and normal networks and of their training; the paper's where it has any."""

from dataclasses import dataclass, field

from roomcad_core.rgb_geometry.model_files import TASKS

ENCODERS = ("mobilenet_v2", "resnet18")
FOCAL = 0.9  # fx / width of the camera that depths are told for, ScanNet's


@dataclass(frozen=True)
class NetworkConfig:
    """One network. Its maps are half as wide and high as its picture."""

    task: str
    encoder: str = "mobilenet_v2"
    thin: float = 1.0  # of the encoder's channels; less than 1 has no torchvision weights
    decoder: tuple[int, ...] = (96, 64, 40, 24)  # channels at 1/16, 1/8, 1/4 and 1/2
    width: int = 320  # of the picture [px]
    height: int = 240

    def __post_init__(self):
        object.__setattr__(self, "decoder", tuple(self.decoder))  # a list, read from a file
        checks = {
            "task": self.task in TASKS,
            "encoder": self.encoder in ENCODERS,
            "thin": 0 < self.thin <= 1,
            "decoder": len(self.decoder) == 4 and min(self.decoder) > 0,
            "width": self.width >= 32 and self.width % 2 == 0,
            "height": self.height >= 32 and self.height % 2 == 0,
        }
        if wrong := [name for name, good in checks.items() if not good]:
            got = {name: getattr(self, name) for name in wrong}
            raise ValueError(
                f"NetworkConfig: got {got}, expected a task of {TASKS}, an encoder of {ENCODERS}, "
                "thin of 0 to 1, 4 decoder widths, even sizes of 32 and more"
            )


@dataclass(frozen=True)
class SampleConfig:
    """How pictures and their true maps are made; the latter half are changes while training."""

    nearest: float = 0.1  # [m] depths outside teach and judge nothing
    farthest: float = 10.0
    normal_radius: int = 2  # pixels of the maps that normals from depth are averaged over
    flip: float = 0.5  # share of the pictures that are mirrored
    smallest_window: float = 0.75  # of the image's sides that a random window has
    light: float = 0.4  # largest change of brightness, contrast and saturation
    tint: float = 0.12  # largest change of one colour
    grey: float = 0.1  # share without colour
    blur: float = 1.5  # largest standard deviation of the blur [px]
    noise: float = 0.02  # largest standard deviation of noise, of white


@dataclass(frozen=True)
class TrainConfig:
    """How a network is trained: the paper's supplement A."""

    network: NetworkConfig
    samples: SampleConfig = field(default_factory=SampleConfig)
    epochs: int = 10
    images: int = 4  # of a batch
    learning_rate: float = 3.5e-4  # the highest of the 1cycle policy
    weight_decay: float = 0.01
    clip: float = 10.0  # largest norm of the gradient
    log_every: int = 200  # steps
    save_every: int = 1000  # steps; and after each epoch
    judged_images: int = 1000  # of the validation, evenly spread, after each epoch
    seed: int = 0
