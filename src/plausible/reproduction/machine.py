"""Facts about the code and the machine that a result may depend on.

Only the standard library: see provenance.py.
"""

import os
import platform
import re
import subprocess
import sys
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any


@cache
def git_state() -> dict[str, Any]:
    """Commit of the code and whether its tree was clean; None where there is no git."""
    commit = _git("rev-parse", "HEAD")
    status = _git("status", "--porcelain")
    return {
        "git_commit": commit,
        "git_clean": None if commit is None or status is None else status == "",
    }


def _git(*arguments: str) -> str | None:
    folder = Path(__file__).parent
    try:
        answer = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            text=True,
            timeout=30,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None


@cache
def package_versions() -> dict[str, str | None]:
    """Versions of this package and of everything that it requires."""
    try:
        required = metadata.requires("plausible") or []
    except metadata.PackageNotFoundError:
        required = []
    names = [re.split(r"[^A-Za-z0-9._-]", line)[0] for line in required if "extra ==" not in line]
    versions = {}
    for name in ["plausible", *sorted(names)]:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = None
    return versions


def machine() -> dict[str, Any]:
    """Python, platform, processor, graphics card (if torch runs here and sees one) and packages."""
    return {
        "python": platform.python_version(),
        "platform": f"{platform.system()}-{platform.machine()}-with-{''.join(platform.libc_ver())}",
        "cpu": _cpu_model(),
        "cpu_cores": os.cpu_count(),
        "gpu": _gpu_model(),
        "packages": package_versions(),
    }


@cache
def _cpu_model() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as stream:
            for line in stream:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _gpu_model() -> str | None:
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return None
    return torch.cuda.get_device_name()


def peak_memory_mb() -> float:
    """Largest resident memory so far of this process or one of its ended children, in MB (10^6 B).

    Linux lets a new program inherit the peak that ``getrusage`` reports from the process that
    started it, so the kernel's own mark of this process is preferred.
    """
    try:
        import resource
    except ImportError:  # of Unix alone; Snakemake needs psutil everywhere
        import psutil

        return psutil.Process().memory_info().peak_wset / 1e6
    unit = 1 if sys.platform == "darwin" else 1024
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
        own = int(re.search(r"VmHWM:\s*(\d+) kB", status).group(1)) * 1024
    except (OSError, AttributeError):
        pass
    return max(own, children) / 1e6
