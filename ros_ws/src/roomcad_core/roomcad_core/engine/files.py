"""Checksums of model files."""

import hashlib
from pathlib import Path


def verify(path, sha256):
    """Raise ValueError unless the file has this SHA-256, as models/manifest.json states it."""
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such model file")
    got = sha256_of(path)
    if got != sha256.lower():
        raise ValueError(f"{path}: sha256: got {got}, expected {sha256}")


def sha256_of(path):
    """SHA-256 of a file, hexadecimal."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
