"""Several cameras of one wedding, and the program that follows them."""

import os
import random
import re
import statistics
import time
from itertools import pairwise
from pathlib import Path

import pytest

from support import players
from support.browser import Browser
from support.cameras import Cameras, Picture, camera_of, publish, publish_url
from support.hls.playlists import MediaPlaylist
from support.hls.watcher import Watcher
from support.media import packets
from support.node import Node
from support.processes import Process, wait_until

#: With fragments of 1 s; dates of a program may be ahead of the clock by two of them.
FRAGMENT = 1.0
LEAD = 2 * FRAGMENT


def on_air(cameras: Cameras, wanted: list[str]) -> None:
    wait_until(
        lambda: all(cameras.status(camera) == "live" for camera in wanted),
        f"{len(wanted)} cameras are live",
    )


def last_number(node: Node, url: str) -> int:
    """The number of a playlist's last segment, asked for now; -1 where it isn't there."""
    client = node.client()
    try:
        text = client.get(url).text
    finally:
        client.close()
    first = re.search(r"#EXT-X-MEDIA-SEQUENCE:(\d+)", text)
    return -1 if first is None else int(first.group(1)) + text.count("#EXTINF") - 1


def four_cameras(
    node: Node, folder: Path, cleanup: list[Process], switches: int, browser: Browser | None
) -> None:
    """Switches the program of four cameras, and judges what viewers get."""
    wedding = f"four-{switches}"
    cameras = Cameras(node, wedding)
    added = [cameras.add(f"Camera {number + 1}") for number in range(4)]
    ids = [camera["camera_id"] for camera in added]
    for number, camera in enumerate(added):
        assert camera["status"] == "waiting"
        url = publish_url(node, camera)
        cleanup.append(publish(url, Picture(number), folder, f"camera {number}"))
        time.sleep(0.37)  # each cuts at other moments than the others
    on_air(cameras, ids)
    watcher = Watcher(node.client(), node.master_url(wedding), folder, 1 / 30, lead=LEAD)
    calls: list[tuple[int, int, float]] = []  # last number before, camera, seconds until shown
    chance = random.Random(50)
    with watcher:
        watcher.wait_for(3)
        if browser is not None:
            browser.open(node.watch_url(wedding))
            browser.advances(2)
            browser.note()
        variant = watcher.only
        playlist = MediaPlaylist(variant.playlist.url, watcher.report)
        active = ids.index(cameras.active)
        for _ in range(switches):
            time.sleep(chance.uniform(0.5, 2.5))
            active = (active + chance.choice((1, 2, 3))) % 4
            before = last_number(node, playlist.url)
            began = time.monotonic()
            answer = cameras.switch(ids[active])
            assert answer["camera_id"] == ids[active]
            for more in (0, 1):
                wait_until(
                    lambda number=before + more: last_number(node, playlist.url) > number,
                    "another segment",
                    every=0.03,
                )
                if more == 0:
                    calls.append((before, active, time.monotonic() - began))
        watcher.wait_for(watcher.count() + 3)
        if browser is not None:
            browser.advances(8 * FRAGMENT)
            noted = browser.noted()
    assert not watcher.report.violations, f"\n{watcher.report}"
    fetched = watcher.only.segments.fetched
    shown = {number: camera_of(each.file, 4) for number, each in sorted(fetched.items())}
    late = [
        (before, camera, [shown.get(before + step) for step in (1, 2)])
        for before, camera, _ in calls
        if shown.get(before + 1) != camera and shown.get(before + 2) != camera
    ]
    assert not late, f"not shown within one segment: {late}"
    entries = watcher.only.playlist.entries
    cuts = entries[max(entries)].discontinuity - entries[min(entries)].discontinuity
    changes = sum(shown[number] != shown[number + 1] for number in shown if number + 1 in shown)
    assert changes <= cuts <= switches
    waits = [waited for before, camera, waited in calls if shown[before + 1] == camera]
    if browser is not None:
        assert (noted["loads"], noted["back"]) == (0, 0), noted
        seen = len(noted["colours"]) - 1
        assert seen >= changes - 1, f"{seen} changes were seen, {changes} were shown"
        print(f"Chromium: {seen} changes, longest still {noted['longest']:.0f} ms")
    print(
        f"{switches} switches, {len(fetched)} segments, {cuts} discontinuities, "
        f"{sum(shown[b + 1] == c for b, c, _ in calls)} shown by the very next segment, "
        f"{statistics.median(waits):.2f} s after the call, at most {max(waits):.2f} s"
    )


@pytest.mark.timeout(240)
def test_the_program_follows_the_camera_that_is_chosen(
    node: Node, tmp_path: Path, cleanup: list[Process]
) -> None:
    four_cameras(node, tmp_path, cleanup, 8, None)


@pytest.mark.interop
@pytest.mark.timeout(900)
def test_fifty_switches_without_a_reload(
    node: Node, tmp_path: Path, cleanup: list[Process]
) -> None:
    with Browser(tmp_path) as browser:
        four_cameras(node, tmp_path, cleanup, int(os.environ.get("SWITCHES", "50")), browser)


def colours(shown: list[int]) -> list[int]:
    """The cameras in the order in which they were shown."""
    return [camera for at, camera in enumerate(shown) if at == 0 or shown[at - 1] != camera]


def watched(watcher: Watcher, count: int) -> list[int]:
    fetched = watcher.only.segments.fetched
    return [camera_of(fetched[number].file, count) for number in sorted(fetched)]


@pytest.mark.timeout(180)
def test_viewers_of_one_camera_follow_when_there_is_another(
    node: Node, tmp_path: Path, cleanup: list[Process]
) -> None:
    """Who watches a wedding's only camera sees the second one without asking anew."""
    wedding = "grows"
    cameras = Cameras(node, wedding)
    main = publish(node.publish_url(wedding), Picture(0), tmp_path, "main")
    cleanup.append(main)
    watcher = Watcher(node.client(), node.master_url(wedding), tmp_path, 1 / 30, lead=LEAD)
    with watcher:
        watcher.wait_for(5)
        assert cameras.list()["active_camera_id"] == "main"
        began = node.began(wedding)
        added = cameras.add("Second")
        second = added["camera_id"]
        cleanup.append(publish(publish_url(node, added), Picture(1), tmp_path, "second"))
        on_air(cameras, ["main", second])
        watcher.wait_for(watcher.count() + 3)
        assert cameras.switch(second)["previous_camera_id"] == "main"
        watcher.wait_for(watcher.count() + 4)
        assert cameras.switch("main")["previous_camera_id"] == second
        watcher.wait_for(watcher.count() + 3)
        assert node.began(wedding) == began
    assert not watcher.report.violations, f"\n{watcher.report}"
    assert colours(watched(watcher, 2)) == [0, 1, 0]
    entries = watcher.only.playlist.entries
    assert entries[max(entries)].discontinuity == 2


@pytest.mark.timeout(180)
def test_a_lost_camera_is_followed_and_comes_back(
    make_node, tmp_path: Path, cleanup: list[Process]
) -> None:
    node = make_node(WEDLIVE_CAMERAS_RETURN="after:3s")
    cameras = Cameras(node, "lost")
    ids = []
    processes = []
    for number, priority in enumerate((0, 1, 5)):
        added = cameras.add(f"Camera {number}", priority=priority, camera_id=f"c{number}")
        ids.append(added["camera_id"])
        url = publish_url(node, added)
        processes.append((url, publish(url, Picture(number), tmp_path, f"camera {number}")))
        cleanup.append(processes[-1][1])
        on_air(cameras, [ids[-1]])
    assert ids == ["c0", "c1", "c2"]
    # One that has only just begun has nothing to show, and stands in for none.
    wait_until(
        lambda: all(
            last_number(node, f"{node.base}/hls/lost/{each}/source/index.m3u8") >= 0 for each in ids
        ),
        "all have something to show",
    )
    watcher = Watcher(node.client(), node.master_url("lost"), tmp_path, 1 / 30, lead=LEAD)
    with watcher:
        watcher.wait_for(3)
        assert cameras.active == "c0"
        processes[0][1].kill()
        wait_until(lambda: cameras.active == "c2", "the one with the highest priority follows")
        assert cameras.status("c0") == "lost"
        watcher.wait_for(watcher.count() + 2)
        processes[2][1].kill()
        wait_until(lambda: cameras.active == "c1", "the last one follows")
        watcher.wait_for(watcher.count() + 2)
        cleanup.append(publish(processes[0][0], Picture(0), tmp_path, "camera 0 again"))
        on_air(cameras, ["c0"])
        began = time.monotonic()
        wait_until(lambda: cameras.active == "c0", "the first one is back", limit=20)
        assert time.monotonic() - began > 1.5
        watcher.wait_for(watcher.count() + 3)
    assert not watcher.report.violations, f"\n{watcher.report}"
    assert colours(watched(watcher, 3)) == [0, 2, 1, 0]


@pytest.mark.timeout(180)
def test_cameras_and_the_choice_last_and_removed_keys_are_refused(
    make_node, tmp_path: Path, cleanup: list[Process]
) -> None:
    node = make_node()
    cameras = Cameras(node, "lasting")
    added = [cameras.add(name) for name in ("One", "Two")]
    for number, camera in enumerate(added):
        process = publish(publish_url(node, camera), Picture(number), tmp_path, f"first {number}")
        cleanup.append(process)
        on_air(cameras, [camera["camera_id"]])
    cameras.switch(added[1]["camera_id"])
    records = node.data / "records.sqlite"
    stored = b"".join(path.read_bytes() for path in records.parent.glob("records.sqlite*"))
    for camera in added:
        assert camera["camera_id"].encode() in stored
        assert camera["stream_key"].encode() not in stored
    playlist = f"{node.base}/hls/lasting/program/source/index.m3u8"
    wait_until(lambda: last_number(node, playlist) >= 5, "some segments")
    number = last_number(node, playlist)
    node.kill()
    node.start()
    client = node.client()
    # It is known that they were live, and not that it is over.
    addresses = [playlist, f"{node.base}/hls/lasting/index.m3u8"]
    for address in addresses:
        answer = client.get(address)
        assert (answer.status, answer.headers["retry-after"]) == (503, "2"), answer.text
    assert client.get(f"{node.base}/hls/never/index.m3u8").status == 404
    cameras = Cameras(node, "lasting")
    assert cameras.active == added[1]["camera_id"]
    assert [camera["status"] for camera in cameras.list()["cameras"]] == ["waiting", "lost", "lost"]
    process = publish(publish_url(node, added[1]), Picture(1), tmp_path, "second 1")
    cleanup.append(process)
    statuses: set[int] = set()

    def goes_on() -> bool:
        now = [client.get(address).status for address in addresses]
        statuses.update(now)
        return now == [200, 200]

    wait_until(goes_on, "the program goes on", alive=[process])
    assert statuses <= {200, 503}, statuses
    on_air(cameras, [added[1]["camera_id"]])
    assert last_number(node, playlist) > number
    # Removed: its publisher is closed, and its key opens nothing any more.
    cameras.remove(added[1]["camera_id"])
    wait_until(lambda: process.ended, "the publisher is closed", limit=20)
    again = publish(publish_url(node, added[1]), Picture(1), tmp_path, "third 1")
    cleanup.append(again)
    wait_until(lambda: again.ended, "its key is refused", limit=20)
    assert "this camera was removed" in node.log.read_text()
    assert cameras.ask("DELETE", f"camera/{added[1]['camera_id']}").status == 404
    # Another camera's key, and one that was made for another camera, open nothing either.
    one = node.token("publish", "lasting", "--camera", added[0]["camera_id"])
    other = publish(f"rtmp://localhost:{node.ports['rtmp']}/live/{one}", Picture(0), tmp_path, "x")
    cleanup.append(other)
    wait_until(lambda: other.ended, "a key that the camera does not know", limit=20)
    assert "none of this camera's" in node.log.read_text()


@pytest.mark.timeout(180)
def test_after_a_kill_the_program_waits_for_the_camera_that_was_chosen(
    make_node, tmp_path: Path, cleanup: list[Process]
) -> None:
    node = make_node(WEDLIVE_STREAMS_FRAGMENT="3s", WEDLIVE_STREAMS_WINDOW="30s")
    cameras = Cameras(node, "killed")
    added = [cameras.add(name) for name in ("One", "Two")]
    ids = [camera["camera_id"] for camera in added]
    for number, camera in enumerate(added):
        process = publish(publish_url(node, camera), Picture(number), tmp_path, f"first {number}")
        cleanup.append(process)
        on_air(cameras, [ids[number]])
    cameras.switch(ids[1])
    playlist = f"{node.base}/hls/killed/program/source/index.m3u8"
    wait_until(lambda: last_number(node, playlist) >= 3, "some segments")
    number = last_number(node, playlist)
    node.kill()
    lines = len(node.log.read_text().splitlines())
    node.start()
    cameras = Cameras(node, "killed")
    cleanup.append(publish(publish_url(node, added[0]), Picture(0), tmp_path, "second 0"))
    on_air(cameras, [ids[0]])
    cleanup.append(publish(publish_url(node, added[1]), Picture(1), tmp_path, "second 1"))
    wait_until(lambda: last_number(node, playlist) > number, "the program goes on", every=0.03)
    with Watcher(node.client(), node.master_url("killed"), tmp_path, 1 / 30, lead=LEAD) as watcher:
        watcher.wait_for(3)
    assert not watcher.report.violations, f"\n{watcher.report}"
    assert colours(watched(watcher, 2)) == [1]
    assert cameras.active == ids[1]
    assert "camera.switched" not in "\n".join(node.log.read_text().splitlines()[lines:])


@pytest.mark.timeout(180)
def test_the_program_is_encrypted_and_for_holders_of_its_token(
    make_node, tmp_path: Path, cleanup: list[Process]
) -> None:
    node = make_node(WEDLIVE_ACCESS_WATCH="token", WEDLIVE_ENCRYPTION_FRAGMENTS_PER_KEY="3")
    cameras = Cameras(node, "private")
    added = [cameras.add(name) for name in ("One", "Two")]
    for number, camera in enumerate(added):
        url = publish_url(node, camera)
        cleanup.append(publish(url, Picture(number), tmp_path, f"camera {number}"))
        time.sleep(1.3)
    on_air(cameras, [camera["camera_id"] for camera in added])
    token = node.token("watch", "private", "--camera", "program")
    client = node.client()
    playlist = f"{node.base}/hls/private/program/source/index.m3u8?token={token}"
    wait_until(lambda: client.get(playlist).status == 200, "the program is there")
    for step in (1, 0, 1):
        cameras.switch(added[step]["camera_id"])
        number = last_number(node, playlist)
        wait_until(lambda n=number: last_number(node, playlist) >= n + 3, "three more", every=0.1)
    text = client.get(playlist).text
    assert re.search(r'#EXT-X-KEY:METHOD=AES-128,URI="[^"]+",IV=0x[0-9a-f]{32}\n', text)
    assert players.ffmpeg_decodes(f"{node.master_url('private')}?token={token}", 6) > 100
    for path, given, status in (
        (f"hls/private/{added[0]['camera_id']}/source/index.m3u8", token, 403),
        ("hls/private/index.m3u8", node.token("watch", "private"), 200),
        ("hls/private/index.m3u8", node.token("watch", "other"), 403),
        (
            "hls/private/index.m3u8",
            node.token("watch", "private", "--camera", added[0]["camera_id"]),
            403,
        ),
    ):
        assert client.get(f"{node.base}/{path}?token={given}").status == status, path
    assert client.get(f"{node.base}/hls/private/index.m3u8").status == 401


@pytest.mark.timeout(120)
def test_rtmp_players_follow_the_program(
    node: Node, tmp_path: Path, cleanup: list[Process]
) -> None:
    cameras = Cameras(node, "rtmp-program")
    added = [cameras.add(name) for name in ("One", "Two")]
    for number, camera in enumerate(added):
        url = publish_url(node, camera)
        cleanup.append(publish(url, Picture(number), tmp_path, f"camera {number}"))
        # One after the other: the first on the air is the one that is shown.
        on_air(cameras, [each["camera_id"] for each in added[: number + 1]])
    cameras.switch(added[0]["camera_id"])
    taken = tmp_path / "taken.flv"
    words = [
        "ffmpeg", "-v", "error", "-nostdin", "-i", node.play_url("rtmp-program"), "-t", "12",
        "-c", "copy", "-flush_packets", "1", "-f", "flv", taken,
    ]  # fmt: skip
    player = Process("player", words, tmp_path / "player.log")
    cleanup.append(player)
    wait_until(lambda: taken.exists() and taken.stat().st_size > 2_000, "it plays")
    for step in (1, 0):
        time.sleep(3)
        cameras.switch(added[step]["camera_id"])
    player.succeed(limit=60)
    found = packets(taken, "v:0")
    steps = [after.dts - before.dts for before, after in pairwise(found)]
    assert min(steps) > 0
    assert max(steps) < 2.5
    pictures = [camera_of(taken, 2, at) for at in range(0, int(found[-1].pts - found[0].pts))]
    assert colours(pictures)[:3] == [0, 1, 0], pictures


@pytest.mark.timeout(240)
def test_all_renditions_change_in_the_same_place(
    make_node, tmp_path: Path, cleanup: list[Process]
) -> None:
    """Two cameras with rungs; the second one's plan has the smallest alone."""
    node = make_node(
        WEDLIVE_TRANSCODE_ENABLED="true",
        WEDLIVE_QUALITIES_4K="off",
        WEDLIVE_QUALITIES_1080P="off",
        WEDLIVE_QUALITIES_720P="off",
        WEDLIVE_QUALITIES_480P="off",
        WEDLIVE_QUALITIES_360P="off",
        WEDLIVE_QUALITIES_240P="160x90 100k 32k",
        WEDLIVE_PLANS_FREE="240p",
        WEDLIVE_CAMERAS_FREE="4",
        WEDLIVE_STREAMS_WINDOW="30s",
    )
    cameras = Cameras(node, "rungs")
    added = [cameras.add("Large", plan="premium"), cameras.add("Small", plan="free")]
    ids = [camera["camera_id"] for camera in added]
    for number, camera in enumerate(added):
        url = publish_url(node, camera)
        cleanup.append(publish(url, Picture(number), tmp_path, f"camera {number}"))
        on_air(cameras, ids[: number + 1])
    client = node.client()

    def listed() -> set[str]:
        text = client.get(node.master_url("rungs")).text
        return set(re.findall(r"/hls/rungs/program/(\w+)/", text))

    wait_until(lambda: listed() == {"source", "240p"}, "both renditions are listed")
    watcher = Watcher(node.client(), node.master_url("rungs"), tmp_path, 1 / 30, lead=LEAD)
    with watcher:
        watcher.wait_for(4)
        for step in (1, 0, 1, 0):
            cameras.switch(ids[step])
            watcher.wait_for(watcher.count() + 4)
        watcher.wait_for(watcher.count() + 3)
    # A picture of one colour takes less than the bit rate that an encoder was given.
    broken = [each for each in watcher.report.violations if each.rule != "BANDWIDTH is measured"]
    assert not broken, f"\n{watcher.report}"
    variants = {url.split("/")[-2]: variant for url, variant in watcher.variants.items()}
    assert set(variants) == {"source", "240p"}
    source, small = (variants[name].segments.fetched for name in ("source", "240p"))
    both = sorted(set(source) & set(small))
    assert len(both) > 15
    shown = [camera_of(source[number].file, 2) for number in both]
    assert colours(shown) == [0, 1, 0, 1, 0]
    assert shown == [camera_of(small[number].file, 2) for number in both]
    for number, camera in zip(both, shown, strict=True):
        # What the second camera's plan hasn't got is shown by what it has.
        is_same = source[number].digest == small[number].digest
        assert is_same == (camera == 1), number
