"""Fixtures `library` and `bank`, for tests of synthetic scenes to take over into their module."""

import pytest


@pytest.fixture(scope="module")
def library():
    from roomcad_core.library import Library

    return Library.load("")


@pytest.fixture(scope="module")
def bank(library):
    from roomcad_offline.multi_sparc.scenes import CadBank, Source

    return CadBank.build([Source(library, "train")])
