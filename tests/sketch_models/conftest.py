"""Weight files published by a local web server."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.harness.web import Web
from sketch_models.weights.table import FILES, WeightFile

Publish = Callable[..., WeightFile]


@pytest.fixture(autouse=True)
def cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache folder of the weights, which does not exist yet; never that of the user."""
    folder = tmp_path / "weights"
    monkeypatch.setenv("SENGA_WEIGHTS", str(folder))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return folder


@pytest.fixture
def publish(web: Web, monkeypatch: pytest.MonkeyPatch) -> Publish:
    """Serve content under a name of the table, with the digest that upstream would publish."""

    def put(name: str, content: bytes, *pages: Callable[[Any], None]) -> WeightFile:
        file = FILES[name]
        digest = file.digest
        if digest.startswith("md5:"):
            digest = f"md5:{hashlib.md5(content).hexdigest()}"
        elif digest:
            digest = f"sha256:{hashlib.sha256(content).hexdigest()[:8]}"
        url = web.put(f"/data/{file.filename}", *(pages or [web.page(content)]))
        published = replace(file, url=url, digest=digest, megabytes=len(content) / 1e6)
        monkeypatch.setitem(FILES, name, published)
        return published

    return put
