"""The task that draws pictures to train the colorizer on."""

from __future__ import annotations

import json
from pathlib import Path

from pipeline import child_process, store
from pipeline.pack.pack import PackOptions
from pipeline.pairs.draw_job import FEWER_PROCESSES, FILES, DrawJob
from pipeline.pairs.options import ArtbookOptions
from pipeline.progress import OnProgress, Progress
from sketch_models import line_weights
from tasks import config
from tasks.stage import Stage, StageResult


class DrawPairs(Stage):
    """Draw pictures of the artbook and their line art: `train.h5` and the test sets."""

    stage = "artbook"
    version = 3

    def settings(self) -> dict[str, object]:
        """Return the numbers of pictures, their size, the seed, and the networks' weights."""
        packing = config.options(PackOptions)
        return {
            **config.result_options(ArtbookOptions),
            "size": packing.size,
            "compression": packing.compression,
            "seed": self._seed,
            "weights": {
                name: line_weights.identity(line_weights.SHIPPED, name)
                for name in ("tracer", "inker")
            },
        }

    def unmet_requirements(self) -> list[str]:
        """Return a message if the packages that the artbook draws with are not installed."""
        from pipeline.artbook import dicebear  # loads OpenCV, which no other task needs so early

        return dicebear.missing_packages("[artbook] pictures are drawn")

    def artefact(self) -> Path:
        """Return the folder of the files."""
        return self.dataset.pairs(self.settings_hash())

    def file(self, name: str) -> Path:
        """Return the path of one of `FILES`."""
        return self.artefact() / f"{name}.h5"

    def progress(self) -> Progress:
        """Return the number of pictures of all files."""
        return Progress(total=sum(self._counts().values()))

    def make(self, on_progress: OnProgress) -> StageResult:
        """Draw all files in processes of their own, and publish them together."""
        counter = child_process.ImageCounter(on_progress)
        with store.publish(self.artefact()) as folder:
            folder.mkdir()
            (folder / "job.json").write_text(self._job().to_json(), encoding="utf-8")
            child_process.run_module(
                "pipeline.pairs.draw",
                [str(folder / "job.json"), str(folder)],
                counter,
                1,
                advice=FEWER_PROCESSES,
            )
        return StageResult(kept=counter.images, facts=self._counts())

    def _job(self) -> DrawJob:
        options, packing = config.options(ArtbookOptions), config.options(PackOptions)
        return DrawJob(
            seed=self._seed,
            size=packing.size,
            pictures=options.pictures,
            test_pictures=options.test_pictures,
            compression=packing.compression,
            processes=options.processes,
            attributes={
                "dataset": config.options(config.BuildOptions).dataset,
                "fingerprint": store.fingerprint(self.inputs()),
                "config": json.dumps(config.texts()),
            },
        )

    def _counts(self) -> dict[str, int]:
        job = self._job()
        return {name: len(job.ids(name)) for name in FILES}

    @property
    def _seed(self) -> int:
        return config.options(config.BuildOptions).seed
