"""Posts in Kaggle's layout: the sample booru's, a CSV's, Kaggle's own."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from pipeline import store
from pipeline.posts import kaggle
from pipeline.posts.metadata import import_posts
from pipeline.progress import OnProgress
from sketch_models.weights.cache import expand_path
from tasks import config
from tasks.sources.source import Source
from tasks.stage import StageResult


class SampleSource(Source):
    """The sample booru."""

    def settings(self) -> dict[str, object]:
        """Return how many posts are drawn, and from which seed."""
        return {
            "sample_posts": self.options.sample_posts,
            "seed": config.options(config.BuildOptions).seed,
        }

    def make(self, on_progress: OnProgress) -> StageResult:
        """Write the metadata of the sample booru, and import them."""
        path = self._write()
        return self.publish(partial(import_posts, path, on_progress=on_progress))

    def _write(self) -> Path:
        from pipeline.sample_booru import write_csv

        path = self.task.dataset.sample_csv()
        with store.publish(path) as temporary:
            seed = config.options(config.BuildOptions).seed
            write_csv(temporary, posts=self.options.sample_posts, seed=seed)
        return path


class CsvSource(Source):
    """A CSV or Parquet file."""

    def settings(self) -> dict[str, object]:
        """Return its path."""
        return {"csv": self.options.csv}

    def content(self) -> list[str]:
        """Return its sha256."""
        return [self.digest_of_file(expand_path(self.options.csv))]

    def make(self, on_progress: OnProgress) -> StageResult:
        """Import the file."""
        path = expand_path(self.options.csv)
        return self.publish(
            partial(import_posts, path, on_progress=on_progress),
            facts=self.facts_of_file(path),
        )


class KaggleSource(Source):
    """The dataset on Kaggle."""

    def unmet_requirements(self) -> list[str]:
        """Return a message if the library is missing that fetches it."""
        return [] if self.task.complete() else kaggle.missing_requirements()

    def make(self, on_progress: OnProgress) -> StageResult:
        """Fetch the dataset, and import it."""
        path = kaggle.fetch_csv()
        return self.publish(partial(import_posts, path, on_progress=on_progress))
