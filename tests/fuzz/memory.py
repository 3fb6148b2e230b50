"""The memory of a process."""

import contextlib
import re
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Memory:
    """The memory of a process, as Linux counts it; elsewhere nothing."""

    process: int

    def now(self) -> float:
        """Return the megabytes that it holds."""
        return self._read("VmRSS")

    def peak(self) -> float:
        """Return the most that it has held since the last reset, in megabytes."""
        return self._read("VmHWM")

    def reset_peak(self) -> None:
        """Forget the most that it has held."""
        with contextlib.suppress(OSError):
            Path(f"/proc/{self.process}/clear_refs").write_text("5")

    def _read(self, name: str) -> float:
        try:
            status = Path(f"/proc/{self.process}/status").read_text()
        except OSError:
            return 0.0
        found = re.search(rf"^{name}:\s+(\d+) kB$", status, re.MULTILINE)
        return int(found[1]) / 1024 if found else 0.0
