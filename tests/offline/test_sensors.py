"""Depth and colour cameras: their statistics on images made by hand, and the three models."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from roomcad_core.types import Frame
from roomcad_offline.cli import main
from roomcad_offline.rooms import writer
from roomcad_offline.rooms.sensors import color, depth, fields, gaps, steps
from roomcad_offline.rooms.sensors.kinds import KINDS, Sensor, draw_sensor
from roomcad_offline.sensor_statistics import cli, edges, frames, planes
from roomcad_offline.sensor_statistics.color import color_statistics

K = np.array([[300.0, 0, 159.5], [0, 300, 119.5], [0, 0, 1]])
SHAPE = (240, 320)


def wall(z, cosine=1.0, albedo=0.8, dropout=0.0):
    """View of a depth image (H, W) or a wall at one depth."""
    z = np.broadcast_to(np.float32(z), SHAPE).copy()
    same = np.ones_like(z)
    return SimpleNamespace(
        depth=z, cosine=same * cosine, albedo=same * albedo, dropout=same * dropout
    )


def frame(z, grey=128):
    z = np.asarray(z, np.float32)
    picture = np.full((*z.shape, 3), grey, np.uint8)
    return Frame(stamp=0.0, color=picture, depth=z, K=K, T_world_cam=np.eye(4))


def drawn(kind, seed=0):
    return draw_sensor(kind, np.random.default_rng(seed))


def test_residual_of_a_noisy_slanted_plane_is_its_noise():
    u = np.arange(320) - 159.5
    z = np.broadcast_to(2 / (1 + u / 300 * 0.5), SHAPE)  # x / 4 + z / 2 = 1
    noisy = z + 0.004 * np.random.default_rng(0).standard_normal(SHAPE)
    fit = planes.fit_planes(noisy, K, 15)
    assert fit.sigma[120, 160] == pytest.approx(0.004, rel=0.2)
    assert np.nanmedian(fit.sigma) == pytest.approx(0.004, rel=0.05)
    assert fit.cosine[120, 160] == pytest.approx(0.5 / np.hypot(0.25, 0.5), abs=0.02)
    assert fit.depth[120, 160] == pytest.approx(2, abs=0.01)
    assert np.isnan(fit.sigma[0, 0])


def test_an_even_window_is_refused():
    with pytest.raises(ValueError, match="window: got 8"):
        planes.fit_planes(np.ones(SHAPE), K, 8)


@pytest.mark.parametrize("between", [0, 1, 3], ids=lambda n: f"{n} px")
def test_width_of_a_step(between):
    row = np.full(320, 1.0, np.float32)
    row[160:] = 2.0
    row[160 : 160 + between] = np.linspace(1, 2, between + 2)[1:-1]
    found = edges.profiles(np.tile(row, (40, 1)))
    assert len(found) == 20
    assert (edges.widths(found) == between).all()
    assert (edges.gaps(found) == 0).all()
    assert (edges.flying(np.tile(row, (40, 1)))[0] > 0) == (between > 0)


def test_a_ramp_is_no_step():
    row = np.concatenate([np.full(150, 1.0), np.linspace(1, 2, 20), np.full(150, 2.0)])
    assert len(edges.profiles(np.tile(row.astype(np.float32), (40, 1)))) == 0


def test_gaps_are_told_by_the_side_of_what_is_near():
    z = np.full(SHAPE, 2.0, np.float32)
    z[:, 100:200] = 1.0
    z[:, 94:100] = 0  # the shadow left of something near
    found = frames.measure_frames([frame(z)])
    assert found["edge_gap_px"] == {"near_right": 6, "near_left": 0}
    assert found["edge_without_gap"] == {"near_right": 0, "near_left": 1}


def test_missing_shares_by_distance_brightness_and_patch():
    z = np.full(SHAPE, 1.2, np.float32)
    z[:, 160:] = 2.5
    z[40:60, 220:240] = 0  # 400 px
    z[100, 50] = 0
    picture = frame(z)
    picture.color[:, 160:] = 220
    found = frames.measure_frames([picture])
    half = 240 * 160
    assert found["missing"]["all"] == pytest.approx(401 / (2 * half))
    assert found["missing_by_depth"]["1.0-1.5"] == pytest.approx(1 / half, rel=0.05)
    assert found["missing_by_depth"]["2.0-3.0"] == pytest.approx(400 / half, rel=0.05)
    assert found["missing_by_grey"] == {"128-192": 1 / half, "192-256": 400 / half}
    assert found["missing_in_patches"]["1-4"] == pytest.approx(1 / 401)
    assert found["missing_in_patches"]["101-1000"] == pytest.approx(400 / 401)


def test_quantisation_step_is_found():
    z = np.rint(np.random.default_rng(0).uniform(2, 3, SHAPE) / 0.02) * 0.02
    assert frames.measure_frames([frame(z)])["step_mm"]["2.50"] == pytest.approx(20)


def test_pixels_lost_from_one_frame_to_the_next():
    z = np.full(SHAPE, 2.0, np.float32)
    after = z.copy()
    after[:, ::10] = 0
    found = frames.measure_frames([frame(z), frame(after)])
    assert found["lost_in_next_frame"]["all"] == pytest.approx(0.2, abs=0.01)  # every other column
    far = replace(frame(after), T_world_cam=np.diag([1.0, -1, -1, 1]))
    assert "lost_in_next_frame" not in frames.measure_frames([frame(z), far])


def test_noise_and_sharpness_of_colour():
    rng = np.random.default_rng(0)
    noise = np.clip(np.rint(128 + 5 * rng.standard_normal(SHAPE)), 0, 255)
    noisy = color_statistics(np.repeat(noise[..., None], 3, 2).astype(np.uint8))
    assert noisy["noise"] == pytest.approx(5, rel=0.15)
    assert noisy["contrast"] == pytest.approx(5, rel=0.05)
    flat = color_statistics(np.full((*SHAPE, 3), 90, np.uint8))
    assert (flat["noise"], flat["sharpness"], flat["saturation"]) == (0, 0, 0)


def test_the_command_puts_datasets_side_by_side(tmp_path, capsys):
    folder, out = tmp_path / "still", tmp_path / "table.md"
    for sub in writer.FOLDERS:
        (folder / sub).mkdir(parents=True)
    writer.write_intrinsics(folder, K)
    picture = frame(np.full(SHAPE, 2.0, np.float32))
    for k in range(3):
        writer.write_frame(folder, k, picture.color, picture.depth, np.zeros(SHAPE), np.eye(4))
    assert (
        main(["sensors", "compare", f"a={folder}", f"b={folder},{folder}", "--out", f"{out}"]) == 0
    )
    assert "| statistic | | a | b |" in out.read_text()
    found = json.loads(out.with_suffix(".json").read_text())
    assert found["a"]["lost_in_next_frame"] == {"all": 0.0, "pairs": 2}
    assert main(["sensors", "compare", f"a={folder}", f"a={folder}", "--out", f"{out}"]) == 1
    assert "two columns are called 'a'" in capsys.readouterr().err


def test_frames_are_chosen_in_pairs():
    assert cli.chosen(3, 30) == [0, 1, 2]
    assert cli.chosen(100, 6) == [0, 1, 49, 50, 98, 99]


def sigma_at(sensor, z):
    measured = depth.measure(wall(z), replace(sensor, grid=(1, 1)), np.random.default_rng(1))
    return (measured[measured > 0] - z).std()


@pytest.mark.parametrize("kind", ["structured_light", "active_stereo"])
def test_noise_of_triangulation_grows_with_the_square_of_the_distance(kind):
    sensor = replace(drawn(kind), step=0.0)
    assert sigma_at(sensor, 4.0) / sigma_at(sensor, 2.0) == pytest.approx(4, rel=0.2)


def test_noise_of_time_of_flight_grows_slowly():
    assert 1.3 < sigma_at(drawn("tof"), 4.0) / sigma_at(drawn("tof"), 2.0) < 2.2


def test_structured_light_comes_in_steps_of_an_eighth_of_a_pixel():
    sensor = drawn("structured_light")
    measured = depth.measure(wall(2.5), sensor, np.random.default_rng(0))
    disparity = sensor.parallax / measured[measured > 0].astype(float) * 8
    assert disparity == pytest.approx(np.rint(disparity), abs=0.01)


def share_missing(sensor, view):
    """In the middle of the picture, where no border is."""
    sensor = replace(sensor, grid=(1, 1))
    pictures = [depth.measure(view, sensor, np.random.default_rng(seed)) for seed in range(4)]
    return np.mean([(picture[60:180, 80:240] == 0).mean() for picture in pictures])


def test_dark_surfaces_vanish_for_time_of_flight_only():
    for seed in range(3):
        assert share_missing(drawn("tof", seed), wall(2.5, albedo=0.01)) > 0.4
        assert share_missing(drawn("structured_light", seed), wall(2.5, albedo=0.01)) < 0.1
        for kind in KINDS:
            assert share_missing(drawn(kind, seed), wall(1.5, albedo=0.8)) < 0.05


@pytest.mark.parametrize("kind", KINDS)
def test_far_slanted_and_glassy_surfaces_vanish(kind):
    sensor = drawn(kind)
    facing = share_missing(sensor, wall(3.0))
    assert share_missing(sensor, wall(3.0, cosine=0.15)) > facing + 0.1
    assert share_missing(sensor, wall(sensor.far + 1)) == 1
    assert share_missing(sensor, wall(2.0, dropout=0.9)) == pytest.approx(0.9, abs=0.2)
    assert share_missing(sensor, wall(sensor.near - 0.1)) == 1


@pytest.mark.parametrize(("kind", "flies"), zip(KINDS, (False, True, True), strict=True))
def test_pixels_fly_at_steps_for_stereo_and_time_of_flight(kind, flies):
    z = np.full(SHAPE, 3.0, np.float32)
    z[:, 160:] = 1.5
    measured = depth.measure(wall(z), drawn(kind), np.random.default_rng(0))
    between = (measured > 1.7) & (measured < 2.7)
    assert between.any() == flies
    assert not between[:, :140].any() and not between[:, 180:].any()


def test_steps_wave_but_surfaces_stay():
    z = np.tile(np.linspace(1.0, 1.2, 320, dtype=np.float32), (240, 1))
    z[:, 160:] += 1
    waved = steps.wobble(z, 1.5, np.random.default_rng(0))
    changed = np.flatnonzero((waved != z).any(0))
    assert 150 < changed.min() < 160 <= changed.max() < 170


@pytest.mark.parametrize("side", [1, -1])
def test_the_projectors_shadow_lies_beside_what_is_near(side):
    z = np.full((4, 640), 2.0, np.float32)
    z[:, 300:340] = 1.0
    dark = np.flatnonzero(steps.unlit(z, Sensor("tof", parallax=side * 40.0))[0])
    # 40 px m * (1/1 m - 1/2 m) = 20 px, less the pixel that a step may blur
    assert dark.min() == (282 if side > 0 else 340)
    assert dark.max() == (299 if side > 0 else 357)


def test_the_band_without_depth_is_wider_for_near_things():
    sensor = Sensor("active_stereo", parallax=32.0)
    for z, columns in ((1.0, 16), (2.0, 8)):  # of half the reference width
        lost = steps.outside(np.full(SHAPE, z, np.float32), sensor)
        assert lost.sum(1).tolist() == [columns] * 240


def test_a_coarser_grid_leaves_lines_of_gaps():
    sensor = Sensor("tof", grid=(1.0, 1.1))
    gap = gaps.between_samples(np.full(SHAPE, 2.0, np.float32), sensor)
    assert gap.mean() == pytest.approx(1 - 1 / 1.1, abs=0.04)
    assert gaps.between_samples(np.full(SHAPE, 2.0, np.float32), Sensor("tof")).sum() == 0


def test_gaps_stay_with_the_surface_when_the_camera_moves():
    rng = np.random.default_rng(0)
    points = rng.uniform(-3, 3, (40, 50, 3)).astype(np.float32)
    noise = fields.on_surface(points, 7)
    np.testing.assert_array_equal(fields.on_surface(points[:, ::-1], 7)[:, ::-1], noise)
    assert (noise.mean(), noise.std()) == (pytest.approx(0, abs=0.1), pytest.approx(1, abs=0.1))
    moved = fields.on_surface(points + np.float32(0.004), 7)
    assert np.corrcoef(noise.ravel(), moved.ravel())[0, 1] > 0.9
    assert abs(np.corrcoef(noise.ravel(), fields.on_surface(points, 8).ravel())[0, 1]) < 0.1


@pytest.mark.parametrize("blur", [0.5, 2.0, 6.0, 24.0])
def test_soft_noise_has_unit_deviation(blur):
    noise = fields.soft_noise((480, 640), blur, np.random.default_rng(0))
    assert noise.shape == (480, 640)
    assert noise.std() == pytest.approx(1, abs=0.2)


@pytest.mark.parametrize("kind", (*KINDS, "any"))
def test_equal_seeds_give_equal_images(kind):
    sensor, again, other = drawn(kind, 3), drawn(kind, 3), drawn(kind, 4)
    assert sensor == again != other
    assert sensor.kind in KINDS
    light = np.random.default_rng(0).random((*SHAPE, 3), np.float32)
    images = [
        (depth.measure(wall(2.0), s, rng), color.develop(light, 1.0, s.color, rng, 0.5))
        for s, rng in ((sensor, np.random.default_rng(1)), (again, np.random.default_rng(1)))
    ]
    for one, two in zip(*images, strict=True):
        np.testing.assert_array_equal(one, two)


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="sensor: got 'sonar', expected any, structured_light"):
        drawn("sonar")


def test_a_flawless_camera_shows_the_light():
    light = np.full((*SHAPE, 3), 0.25, np.float32)
    picture = color.develop(light, 2.0, None, None)
    assert (picture == round(255 * 0.5 ** (1 / 2.2))).all()


def test_exposure_drifts_slowly():
    camera = color.ColorCamera(drift=0.2, seed=5)
    factor = np.log([color.drift(camera, t) for t in np.arange(0, 300, 0.1)])
    assert factor.std() == pytest.approx(0.2, rel=0.25)
    assert np.abs(np.diff(factor)).max() < 0.08


def test_flaws_of_a_colour_camera_do_what_they_are_called():
    light = np.tile(np.float32([[0.1] * 8 + [0.4] * 8]), (240, 20))
    light = np.repeat(light[..., None], 3, 2)

    def shown(seed=2, **flaws):
        rng = np.random.default_rng(seed)
        return color_statistics(color.develop(light, 1.0, color.ColorCamera(**flaws), rng))

    clean = shown()
    moved = [shown(seed, motion=6.0)["sharpness"] for seed in range(5)]
    assert np.mean(moved) < 0.9 * clean["sharpness"]
    assert shown(sharpen=1.0)["sharpness"] > 1.5 * clean["sharpness"]
    assert shown(contrast=1.4)["contrast"] == pytest.approx(1.4 * clean["contrast"], rel=0.05)
    assert shown(grain=4.0)["noise"] > clean["noise"] + 2
    assert shown(gains=(1.2, 1.0, 0.8))["red_blue"] > 10
    assert shown(vignette=0.5)["brightness"] < clean["brightness"] - 3
