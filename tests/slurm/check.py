"""One study at the demo scale on a real Slurm, a cluster of this one machine: `make check-slurm`.

Needs root and the Debian packages slurm-wlm and munge. All files of the cluster lie in a temporary
folder; its three daemons, and a link in /etc/slurm by which its jobs find the configuration, end
with this program. The project is run in a copy, by the profile as it is, and its tables are
compared with those of this folder, where there are any.
"""

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from plausible.config import load_config
from plausible.reproduction.declaration import load_studies

ROOT = Path(__file__).resolve().parents[2]
LINK = Path("/etc/slurm/slurm.conf")
PROGRAMS = ("munged", "slurmctld", "slurmd", "sinfo", "sbatch", "squeue")
CONFIGURATION = """
ClusterName=local
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
ReturnToService=2
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
JobCompType=jobcomp/none
NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} RealMemory={memory_mb} State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def main() -> int:
    """Set the cluster up, run, compare, take it down."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--study", default="song2020", help="which study (default song2020)")
    parser.add_argument("--minutes", type=float, default=30, help="time limit (default 30)")
    options = parser.parse_args()
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing or os.geteuid() != 0:
        print(
            f"error: {', '.join(missing) or 'the rights of root'} not found; run as root, after "
            "`apt-get install slurm-wlm munge`.",
            file=sys.stderr,
        )
        return 1
    if LINK.exists():
        print(f"error: {LINK} is there, a cluster of this machine; use it.", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="plausible-slurm-", dir="/tmp") as folder:
        with cluster(Path(folder)) as environment:
            return run_study(Path(folder) / "project", options.study, options.minutes, environment)


@contextmanager
def cluster(folder: Path) -> Iterator[dict[str, str]]:
    """A running cluster; the environment in which its programs find it."""
    folder.chmod(0o755)
    for name in ("state", "spool"):
        (folder / name).mkdir()
    key = folder / "munge.key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o400)
    host = socket.gethostname().split(".")[0]
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    settings = {
        "folder": folder,
        "host": host,
        "cores": os.cpu_count(),
        "memory_mb": pages // 2**20 - 512,
        "controller_port": free_port(),
        "node_port": free_port(),
    }
    (folder / "slurm.conf").write_text(CONFIGURATION.format(**settings).lstrip())
    LINK.parent.mkdir(exist_ok=True)
    LINK.symlink_to(folder / "slurm.conf")
    environment = {**os.environ, "SLURM_CONF": str(folder / "slurm.conf")}
    munge = ["munged", "--foreground", "--force", f"--socket={folder}/munge.socket"]
    munge += [f"--key-file={key}", f"--log-file={folder}/munged.log"]
    munge += [f"--pid-file={folder}/munged.pid", f"--seed-file={folder}/munged.seed"]
    daemons = []
    try:
        for command in (munge, ["slurmctld", "-D"], ["slurmd", "-D"]):
            daemons.append(
                subprocess.Popen(
                    command,
                    env=environment,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                )
            )
            time.sleep(2)
        wait_for_node(environment, folder)
        yield environment
    finally:
        LINK.unlink()
        for daemon in reversed(daemons):
            daemon.send_signal(signal.SIGTERM)
        for daemon in daemons:
            try:
                daemon.wait(timeout=20)
            except subprocess.TimeoutExpired:
                os.killpg(daemon.pid, signal.SIGKILL)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def wait_for_node(environment: dict[str, str], folder: Path) -> None:
    """Until the node takes jobs; with the ends of the logs if it does not."""
    for _ in range(30):
        shown = subprocess.run(
            ["sinfo", "--noheader", "--format=%T"], env=environment, capture_output=True, text=True
        )
        if shown.stdout.strip() == "idle":
            return
        time.sleep(1)
    logs = "\n".join(path.read_text()[-1000:] for path in sorted(folder.glob("*.log")))
    raise SystemExit(f"error: the cluster did not start: {shown.stdout}{shown.stderr}\n{logs}")


def run_study(project: Path, study: str, minutes: float, environment: dict[str, str]) -> int:
    """Run a study by the profile in a copy of the project; 0 if all is there and equal."""
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(project)], check=True)
    environment["PYTHONPATH"] = str(project / "src")
    command = [sys.executable, "-m", "snakemake", "--profile", "profiles/slurm", "--jobs"]
    command += [str(2 * (os.cpu_count() or 1)), study, "--config", f"studies=[{study}]"]
    began = time.monotonic()
    # Who waits for a lost job waits for ever, and does not listen to SIGTERM.
    done = subprocess.run(
        ["timeout", "--signal=KILL", f"{60 * minutes:.0f}", *command], cwd=project, env=environment
    )
    spent = time.monotonic() - began
    if done.returncode != 0:
        print(f"error: {study} ended with {done.returncode} after {spent:.0f} s.", file=sys.stderr)
        for log in sorted(project.glob(".snakemake/slurm_logs/**/*.log"))[:1]:
            print(log.read_text()[-3000:], file=sys.stderr)
        return 1
    made = sorted(project.glob(f"results/demo/{study}/*.csv"))
    declared = load_studies(project / "workflow/studies", load_config({"studies": [study]}))[study]
    timed = {"verdicts", "entries", "runtimes"} | {
        result
        for result, one in declared.results.items()
        for sweep in one.get("from", {}).get("sweep", ())
        if declared.declaration["sweep"][sweep].get("timing")
    }
    different = [
        path.name
        for path in made
        if (own := ROOT / path.relative_to(project)).is_file()
        and path.stem not in timed
        and own.read_bytes() != path.read_bytes()
    ]
    print(f"{study} on Slurm: {len(made)} tables in {spent:.0f} s; different here: {different}")
    return 0 if made and not different else 1


if __name__ == "__main__":
    sys.exit(main())
