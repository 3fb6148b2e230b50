"""A download is complete while its tar and its table are there, whatever its manifest says."""

from pathlib import Path

import pytest

from pipeline import store
from tasks import DownloadShard, config


@pytest.mark.parametrize("lost", ["tar", "table", "sizes"])
def test_download_whose_files_are_gone_is_not_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    options = config.BuildOptions(data=str(tmp_path))
    monkeypatch.setitem(config._cache, config.BuildOptions, options)
    task = DownloadShard(shard=0)
    files = {"tar": task.artefact(), "table": task.outcomes}
    for file in files.values():
        with store.publish(file) as temporary:
            temporary.write_bytes(b"content")
    assert not task.is_whole()
    assert task.record_sizes() == {}  # for the downloads of all filters, and so in no manifest
    assert task.is_whole()
    ({**files, "sizes": task.dataset.color_sizes(0)}[lost]).unlink()
    assert not task.is_whole()
