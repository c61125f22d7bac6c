"""Damaged pictures are refused, whole ones come back as they were."""

import struct
import zlib

import cv2
import numpy as np
import pytest

from roomcad_core.pictures import decode_color, decode_uint16, encode_picture, picture_size


def test_png_gives_back_the_colours_in_rgb_order(rng):
    image = rng.integers(0, 256, (8, 12, 3), np.uint8)
    assert (decode_color(encode_picture(".png", image), "x") == image).all()


def test_uint16_png_gives_back_the_values(rng):
    image = rng.integers(0, 65536, (8, 12), np.uint16)
    assert (decode_uint16(encode_picture(".png", image), "x") == image).all()


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
@pytest.mark.parametrize("kept", [0.3, 0.8, 0.99])
def test_truncated_picture_is_an_error_naming_it(rng, suffix, kept):
    data = encode_picture(suffix, rng.integers(0, 256, (60, 80, 3), np.uint8))
    with pytest.raises(ValueError, match="7.pic.*truncated"):
        decode_color(data[: int(len(data) * kept)], "7.pic")


def test_flipped_byte_in_a_png_is_an_error(rng):
    data = bytearray(encode_picture(".png", rng.integers(0, 65536, (60, 80), np.uint16)))
    data[len(data) // 2] ^= 1
    with pytest.raises(ValueError, match="7.png.*checksum"):
        decode_uint16(data, "7.png")


@pytest.mark.parametrize("data", [b"", b"not a picture"])
def test_other_bytes_are_no_picture(data):
    with pytest.raises(ValueError, match="neither a JPEG nor a PNG"):
        decode_color(data, "x")


def test_eight_bit_depth_is_refused_with_what_was_got():
    data = encode_picture(".png", np.zeros((4, 5, 3), np.uint8))
    with pytest.raises(ValueError, match="got uint8.*expected a uint16"):
        decode_uint16(data, "x")


@pytest.fixture
def rng():
    return np.random.default_rng(1)


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
@pytest.mark.parametrize("shape", [(60, 80, 3), (1, 300), (300, 1, 3)])
def test_the_size_is_read_without_decoding(rng, suffix, shape):
    data = encode_picture(suffix, rng.integers(0, 256, shape, np.uint8))
    assert picture_size(data, "x") == shape[:2]
    assert picture_size(data[: len(data) - 20], "x") == shape[:2]  # the end does not matter


def test_progressive_and_padded_jpegs_have_a_size_too(rng):
    image = rng.integers(0, 256, (30, 50, 3), np.uint8)
    data = encode_picture(".jpg", image, cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
    assert picture_size(data, "x") == (30, 50)
    assert picture_size(data[:2] + b"\xff\xff\xff" + data[2:], "x") == (30, 50)


@pytest.mark.parametrize(
    "data",
    [b"", b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0\x00\x04ab\xff\xda", b"GIF89a"],
)
def test_bytes_without_a_size_are_named(data):
    with pytest.raises(ValueError, match="7.pic.*size"):
        picture_size(data, "7.pic")


def test_a_picture_beyond_all_limits_is_an_error(rng):
    png = bytearray(encode_picture(".png", rng.integers(0, 256, (4, 4, 3), np.uint8)))
    png[16:24] = struct.pack(">II", 2**30, 2**30)
    png[29:33] = struct.pack(">I", zlib.crc32(bytes(png[12:29])))
    with pytest.raises(ValueError, match="7.png.*cannot be decoded"):
        decode_color(bytes(png), "7.png")
