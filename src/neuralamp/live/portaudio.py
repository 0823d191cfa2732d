"""The PortAudio library through sounddevice: found, its list of devices made anew, replaced where a dead stream holds it."""

import atexit
import shutil
import tempfile
from pathlib import Path
from typing import Any

from neuralamp.errors import DeviceError

_ALL_LIBRARIES: list[object] = []  # those that were replaced: their streams may still be called


def audio_library() -> Any:
    """sounddevice, with PortAudio found and its devices listed. Raises DeviceError where either is not installed."""
    try:
        import sounddevice
    except ImportError:
        raise DeviceError(
            "live sound needs the package sounddevice, which is not installed; pip install 'neuralamp[live]'"
        ) from None
    except OSError:
        raise DeviceError(
            "live sound needs the PortAudio library, which is not installed; on Debian and Ubuntu: sudo apt install libportaudio2"
        ) from None
    return sounddevice


def list_devices_anew() -> None:
    """Let PortAudio look for devices: it does so only when it begins. It must have been ended, or replaced."""
    audio_library()._initialize()


def end_library() -> None:
    """End PortAudio, whose streams are closed."""
    audio_library()._terminate()


def replace_library() -> None:
    """Leave PortAudio with a stream that cannot be closed as it is, and put a copy of it, with memory of its own, in its place.

    Closing a stream of a JACK server that died, PortAudio waits ten minutes; ending without closing, it stops the process.
    """
    library = audio_library()
    _ALL_LIBRARIES.append(library._lib)
    loaded = _loaded_file(library._libname)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:  # Windows does not let a library in use be removed
        library._lib = library._ffi.dlopen(str(shutil.copy(loaded, folder)))
    library._initialized = 0


def leave_library() -> None:
    """Let PortAudio be, also at the end of the process, where sounddevice would close and end it."""
    atexit.unregister(audio_library()._exit_handler)


def _loaded_file(name: str) -> Path:
    """The file of a library that is loaded: its name may be a path, or what the system's loader finds a path by."""
    if Path(name).is_absolute():
        return Path(name)
    maps = Path("/proc/self/maps")
    for line in maps.read_text().splitlines() if maps.exists() else []:
        path = Path(line.split(maxsplit=5)[-1])
        if path.name.startswith(name) and path.exists():
            return path
    raise DeviceError("PortAudio cannot be loaded a second time; start neuralamp again")
