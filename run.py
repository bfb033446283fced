#!/usr/bin/env python3
"""Starts Fleetdesk on a machine that has Python 3.11 or later and nothing else.

python run.py              set up if needed, then run the platform
python run.py demo         the same with simulated shoppers
python run.py install      only the environment; `--dev` with the tools of developers
python run.py run_agent order     any command of manage.py
"""

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
ENVIRONMENT = ROOT / ".venv"
PYTHON = ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
OLDEST = (3, 11)


def install(*, dev: bool) -> None:
    """Make `.venv` and install what is pinned, if the pins changed since the last time."""
    if sys.version_info < OLDEST:
        sys.exit(f"Fleetdesk needs Python 3.11 or later; this is {sys.version.split()[0]}.")
    if not PYTHON.exists():
        print("Making the environment .venv …")
        try:
            venv.create(ENVIRONMENT, with_pip=True)
        except subprocess.CalledProcessError:
            shutil.rmtree(ENVIRONMENT, ignore_errors=True)
            sys.exit("This Python cannot make environments; on Debian: apt install python3-venv")
    names = ["requirements.txt", "requirements-dev.txt"] if dev else ["requirements.txt"]
    pins = hashlib.sha256(b"".join((ROOT / name).read_bytes() for name in names)).hexdigest()
    stamp = ENVIRONMENT / f"fleetdesk-{names[-1]}.sha256"
    if stamp.exists() and stamp.read_text() == pins:
        return
    print(f"Installing {names[-1]} …")
    quiet = ["--quiet", "--disable-pip-version-check"]
    subprocess.run([PYTHON, "-m", "pip", "install", *quiet, "-r", ROOT / names[-1]], check=True)
    stamp.write_text(pins)


def manage(*arguments: str) -> int:
    """Run manage.py; Ctrl+C reaches it as well, so only its end is waited for."""
    process = subprocess.Popen([PYTHON, ROOT / "manage.py", *arguments])
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue


def replace(*arguments: str) -> int:
    """Become manage.py where the system can, so that a signal to us is a signal to it."""
    if os.name != "nt":
        os.execv(PYTHON, [str(PYTHON), str(ROOT / "manage.py"), *arguments])  # noqa: S606
    return manage(*arguments)


def main(arguments: list[str]) -> int:
    """What the first word asks for; without one, the whole platform."""
    command, *rest = arguments or ["serve"]
    install(dev="--dev" in rest)
    if command == "install":
        return 0
    if command == "demo":
        os.environ["DEMO"] = "1"
        command = "serve"
    if command == "serve":
        failed = manage("setup")
        if failed:
            return failed
    return replace(command, *rest)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
