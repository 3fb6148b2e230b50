"""`build_dataset` turns its options into a configuration; nothing is built."""

from pathlib import Path

import pytest

from sketch_models.errors import ConfigError
from tasks import build
from tasks.config import SECTIONS


@pytest.fixture(autouse=True)
def other_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Change to a folder that is not the repository."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LUIGI_CONFIG_PATH", raising=False)


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch) -> list[build.Config]:
    """Return a list of the configurations that Luigi is run with."""
    configs: list[build.Config] = []
    monkeypatch.setattr(build, "_run", lambda config, _: configs.append(config))
    return configs


def test_configuration_of_the_repository_is_used_from_any_folder(
    configured: list[build.Config],
) -> None:
    built = build.build_dataset()
    assert built.train == Path("data/sample/train.h5")
    (config,) = configured
    assert config.get("split", "test_size") == "8"
    assert config.get("core", "local_scheduler") == "true"
    assert Path(config.get("core", "logging_conf_file")).is_file()


def test_recipe_overrides_the_repository_and_keywords_override_the_recipe(
    configured: list[build.Config], tmp_path: Path
) -> None:
    (tmp_path / "mine.cfg").write_text("[build]\ndata = ${HOME}/d\ndataset = mine\n[pack]\nsize=99")
    home = Path("~").expanduser()
    assert build.build_dataset(recipe="mine.cfg").folder == home / "d" / "mine"
    built = build.build_dataset(recipe=tmp_path / "mine.cfg", dataset="other", pack_size=77)
    assert built.folder == home / "d" / "other"
    assert [config.get("pack", "size") for config in configured] == ["99", "77"]
    assert configured[0].get("filter", "ratings") == "s"


def test_recipe_of_the_environment_is_read_if_none_is_given(
    configured: list[build.Config], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.cfg").write_text("[pack]\nsize = 99\n")
    monkeypatch.setenv("LUIGI_CONFIG_PATH", "mine.cfg")
    build.build_dataset()
    assert configured[0].get("pack", "size") == "99"


def test_luigi_cfg_of_the_current_folder_is_read(
    configured: list[build.Config], tmp_path: Path
) -> None:
    (tmp_path / "luigi.cfg").write_text("[pack]\nsize = 99\n")
    build.build_dataset()
    assert configured[0].get("pack", "size") == "99"


@pytest.mark.parametrize("text", ["size = 3\n", "[pack]\nsize = 3\nsize = 4\n", "\udc80"])
def test_recipe_that_is_no_config_file_is_one_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "mine.cfg").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(ConfigError, match=r"^mine.cfg, line \d: .*\.$"):
        build.build_dataset(recipe="mine.cfg")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (128, "128"),
        (0.5, "0.5"),
        (True, "true"),
        (["solo", "1girl"], "solo 1girl"),
        ((), ""),
        ("100%", "100%"),
        (Path("a/b"), "a/b"),
    ],
)
def test_values_are_written_as_in_a_config_file(
    configured: list[build.Config], value: object, text: str
) -> None:
    build.build_dataset(simo_serra_weights=value)
    assert configured[0].get("simo_serra", "weights") == text


def test_every_option_has_a_keyword_of_its_own() -> None:
    names = [
        f"{section}_{key}"
        for section, options_type in SECTIONS.items()
        for key in vars(options_type())
    ]
    assert len(set(names)) == len(names)
    assert build._section_and_key("pack_size") == ("pack", "size")
    assert build._section_and_key("simo_serra_weights") == ("simo_serra", "weights")


def test_errors_keep_their_class() -> None:
    lines = [{"class": "WeightsError", "message": "These weights are of another network."}]
    assert type(build._to_error(lines, 30)).__name__ == "WeightsError"
    lines = [{"class": "SengaError", "message": "[sketchkeras] weights = x: there is none."}]
    assert type(build._to_error(lines, 30)).__name__ == "ConfigError"
    assert "exit status 30" in str(build._to_error([], 30))
