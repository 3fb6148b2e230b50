"""Jobs of drawing: as JSON and back, and ids that no two files share."""

import pytest

from pipeline.pairs.draw_job import FILES, DrawJob


def make(seed: int = 0, pictures: int = 10, test_pictures: int = 4) -> DrawJob:
    return DrawJob(
        seed=seed, size=64, pictures=pictures, test_pictures=test_pictures, attributes={"a": "b"}
    )


def test_a_job_is_what_its_json_says() -> None:
    assert DrawJob.from_json(make().to_json()) == make()


@pytest.mark.parametrize("seed", [0, 1, -3, 2**40])
def test_files_share_no_picture(seed: int) -> None:
    job = make(seed, pictures=10_000_000, test_pictures=100_000)
    files = [job.ids(name) for name in FILES]
    assert [len(ids) for ids in files] == [10_000_000, 100_000, 100_000, 100_000]
    for number, ids in enumerate(files):
        assert ids[0] > 0
        assert (ids[-1] + 1) * 64 < 2**63  # the seeds of its pages
        for other in files[:number]:
            assert ids[-1] < other[0] or other[-1] < ids[0]


def test_seeds_share_no_picture_and_more_pictures_only_add_some() -> None:
    assert make(0).ids("micah")[-1] < make(1).ids("train")[0]
    assert list(make(pictures=20).ids("train"))[:10] == list(make(pictures=10).ids("train"))
