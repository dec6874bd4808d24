"""OBS Studio in a virtual display, streaming a looped file to a custom RTMP server."""

import json
from pathlib import Path

from .certificates import Certificates
from .media import Source
from .processes import Process
from .trust import trusting

PROFILE = "Test"


def obs(url: str, source: Source, certificates: Certificates, folder: Path) -> Process:
    """Starts OBS with a profile and a scene of its own, streaming at once."""
    home = folder / "obs-home"
    _write_settings(home / ".config/obs-studio", url, source)
    # fmt: off
    words = [
        "dbus-run-session", "--",
        "xvfb-run", "--auto-servernum", "--server-args=-screen 0 1280x720x24",
        "obs", "--startstreaming", "--profile", PROFILE, "--collection", PROFILE,
        "--multi", "--disable-updater", "--disable-missing-files-check", "--verbose",
    ]
    # fmt: on
    env = {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_RUNTIME_DIR": str(home),
        "LIBGL_ALWAYS_SOFTWARE": "1",
        "GALLIUM_DRIVER": "llvmpipe",
        "QT_QPA_PLATFORM": "xcb",
        "LANG": "C.UTF-8",
    }
    return Process("OBS", trusting(certificates, words), folder / "obs.log", env=env)


def _write_settings(folder: Path, url: str, source: Source) -> None:
    profile = folder / "basic/profiles" / PROFILE
    scenes = folder / "basic/scenes"
    for each in (profile, scenes):
        each.mkdir(parents=True, exist_ok=True)
    server, _, key = url.rpartition("/")
    (folder / "global.ini").write_text(
        "[General]\nFirstRun=true\nLastVersion=486539266\nInfoIncrement=999\n"
        f"[Basic]\nProfile={PROFILE}\nProfileDir={PROFILE}\n"
        f"SceneCollection={PROFILE}\nSceneCollectionFile={PROFILE}\n"
    )
    (profile / "basic.ini").write_text(
        f"[General]\nName={PROFILE}\n"
        "[Output]\nMode=Simple\nReconnect=true\nRetryDelay=1\n"
        "[SimpleOutput]\nVBitrate=600\nABitrate=128\nStreamEncoder=x264\nPreset=ultrafast\n"
        "UseAdvanced=true\n"
        f"[Video]\nBaseCX={source.width}\nBaseCY={source.height}\n"
        f"OutputCX={source.width}\nOutputCY={source.height}\nFPSCommon={source.rate}\n"
        "[Audio]\nSampleRate=48000\nChannelSetup=Stereo\n"
    )
    service = {"settings": {"server": server, "key": key, "use_auth": False}, "type": "rtmp_custom"}
    (profile / "service.json").write_text(json.dumps(service))
    (profile / "streamEncoder.json").write_text(json.dumps({"keyint_sec": 1}))
    (scenes / f"{PROFILE}.json").write_text(json.dumps(_scene(source.file)))


def _scene(file: Path) -> dict:
    """A scene collection with one scene that plays `file` for ever, filling the canvas."""
    media = {
        "id": "ffmpeg_source",
        "versioned_id": "ffmpeg_source",
        "name": "Media",
        "settings": {"local_file": str(file), "looping": True, "hw_decode": False},
        "mixers": 255,
    }
    item = {
        "id": 1,
        "name": "Media",
        "visible": True,
        "bounds_type": 0,
        "pos": {"x": 0.0, "y": 0.0},
        "scale": {"x": 1.0, "y": 1.0},
    }
    scene = {
        "id": "scene",
        "versioned_id": "scene",
        "name": "Scene",
        "settings": {"id_counter": 1, "items": [item]},
    }
    return {
        "name": PROFILE,
        "current_scene": "Scene",
        "current_program_scene": "Scene",
        "scene_order": [{"name": "Scene"}],
        "sources": [media, scene],
        "transitions": [],
        "groups": [],
    }
