"""Public models that are downloaded once, checked and kept: `roomcad models list | fetch`."""

from roomcad_core.public_models.cache import cache_folder, fetch, fetched
from roomcad_core.public_models.table import PUBLIC, PublicModel, RemoteFile

__all__ = ["PUBLIC", "PublicModel", "RemoteFile", "cache_folder", "fetch", "fetched"]
