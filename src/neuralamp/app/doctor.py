"""A look over the machine: what is installed, what plays, what stands in the way of live sound, and what to do about it."""

import os
import platform
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from neuralamp import __version__

CORE = ("numpy", "scipy", "numba", "onnx", "onnxruntime", "soundfile", "soxr")
EXTRAS = {  # package -> the extra that brings it, and what it is for
    "sounddevice": ("live", "live sound"),
    "mido": ("midi", "foot controllers"),
    "python-rtmidi": ("midi", "foot controllers"),
    "pedalboard": ("plugins", "plugins of others"),
    "torch": ("train", "training"),
    "matplotlib": ("train", "pictures"),
}
LIMITS_FILE = "/etc/security/limits.d/audio.conf"
LEAST_RTPRIO = 70  # of an audio thread; JACK's own default is 10 to 80, above all but the kernel's own threads


@dataclass(frozen=True)
class Finding:
    """One thing looked at: what was found, whether it is well, and what to do where it is not."""

    what: str
    found: str
    good: bool = True
    advice: str = ""


def examine() -> list[Finding]:
    """Every finding. A look that goes wrong is a finding, too."""
    findings: list[Finding] = []
    for look in (_versions, _extras, _kernels, _real_time, _devices, _shelf):
        try:
            findings += look()
        except Exception as reason:  # noqa: BLE001  a doctor who faints helps nobody
            findings.append(Finding(look.__name__.strip("_").replace("_", " "), f"{type(reason).__name__}: {reason}", False))
    return findings


def _versions() -> Iterator[Finding]:
    yield Finding("neuralamp", f"{__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield Finding("cores", str(cores))
    for package in CORE:
        found = _version(package)
        yield Finding(package, found or "not installed", bool(found), "" if found else f"pip install {package}")


def _extras() -> Iterator[Finding]:
    for package, (extra, purpose) in EXTRAS.items():
        found = _version(package)
        advice = "" if found else f"only needed for {purpose}: pip install 'neuralamp[{extra}]'"
        yield Finding(package, found or "not installed", bool(found), advice)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _kernels() -> Iterator[Finding]:
    from neuralamp.dsp.kernel_cache import kernels_are_cold, open_kernel_cache

    cold = kernels_are_cold()
    advice = "the next command that plays will compile them, once" if cold else ""
    yield Finding("kernels", f"{'not compiled yet' if cold else 'compiled'}, in {open_kernel_cache()}", not cold, advice)


def _real_time() -> Iterator[Finding]:
    if sys.platform != "linux":
        yield Finding("real time", f"{platform.system()} gives audio threads their rights by itself")
        return
    import resource

    unlimited = resource.RLIM_INFINITY
    priority = resource.getrlimit(resource.RLIMIT_RTPRIO)[1]
    memory = resource.getrlimit(resource.RLIMIT_MEMLOCK)[1]
    limits = {
        "rtprio": (str(priority), priority == unlimited or priority >= LEAST_RTPRIO, "95"),
        "memlock": ("unlimited" if memory == unlimited else f"{memory // 1024} KiB", memory == unlimited, "unlimited"),
    }
    for name, (found, good, wanted) in limits.items():
        advice = f"for live sound: '@audio - {name} {wanted}' in {LIMITS_FILE}, join the group audio, log in again"
        yield Finding(name, found, good, "" if good else advice)


def _devices() -> Iterator[Finding]:
    if not _version("sounddevice"):
        return
    from neuralamp.errors import DeviceError
    from neuralamp.live import devices

    try:
        found = devices()
    except DeviceError as reason:
        yield Finding("devices", "none can be seen", False, str(reason))
        return
    for device in found:
        yield Finding("device", f"{device}, {device.sample_rate:g} Hz")
    if not found:
        yield Finding("devices", "none", False, "plug an interface in, or start JACK; this user may need the group audio")


def _shelf() -> Iterator[Finding]:
    from neuralamp.capture.shelf import shelf
    from neuralamp.learn.recipe import recipes
    from neuralamp.rig import rigs

    yield _shipped("captures", shelf)
    yield _shipped("rigs", rigs)
    yield _shipped("recipes", recipes)


def _shipped(what: str, find: Callable[[], dict]) -> Finding:
    names = ", ".join(find())
    return Finding(what, names or "none are shipped", bool(names), "" if names else "install neuralamp again")
