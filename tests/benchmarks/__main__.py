"""Run every benchmark beside this file, one after the other: `python tests/benchmarks`."""

import subprocess
import sys
from pathlib import Path

for script in sorted(Path(__file__).parent.glob("[a-z]*.py")):
    print(f"── {script.stem} ──", flush=True)
    subprocess.run([sys.executable, script], check=True)
