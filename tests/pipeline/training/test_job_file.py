"""Jobs as JSON: what is wrong with a file is one sentence."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from pipeline.training import job_file
from sketch_models.errors import ConfigError, SengaError
from sketch_models.option import Options, option


@dataclass(frozen=True, kw_only=True)
class PenOptions(Options, section="pen"):
    widths: tuple[int, ...] = option((1,), "widths", at_least=1)
    ink: str = option(
        "black",
        "colour",
        choices=("black", "blue"),
        renamed_from="color",
        renamed_choices={"dark": "black"},
    )


def test_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SengaError, match=r"job\.json cannot be read \(No such file"):
        job_file.read_text(tmp_path / "job.json")


def test_file_that_is_no_text_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "job.json").write_bytes(b"\xff")
    with pytest.raises(SengaError, match=r"job\.json cannot be read \(it is not UTF-8"):
        job_file.read_text(tmp_path / "job.json")


def test_options_of_the_version_before_are_read_by_their_old_names() -> None:
    assert job_file.parse_options(PenOptions, {"widths": [2, 3], "color": "dark"}) == PenOptions(
        widths=(2, 3), ink="black"
    )
    with pytest.raises(ConfigError, match=r"\[pen\] ink = red"):
        job_file.parse_options(PenOptions, {"ink": "red"})


def test_schema_is_checked_and_removed() -> None:
    assert job_file.parse_values('{"schema": "pen-1", "a": 2}', "x.json", "pen-1") == {"a": 2}
    with pytest.raises(SengaError, match=r"x\.json holds .* schema 'pen-1': expected 'pen-2'"):
        job_file.parse_values('{"schema": "pen-1"}', "x.json", "pen-2")


@pytest.mark.parametrize("text", ["", "[]", "{}", "no", "[" * 9999])
def test_other_text_names_the_file_and_the_task(text: str) -> None:
    with (
        pytest.raises(SengaError, match=r"x\.json cannot be read .* that TrainPens wrote\."),
        job_file.explain_errors("x.json", "TrainPens"),
    ):
        job_file.parse_values(text, "x.json", "pen-1")
