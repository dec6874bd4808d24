"""Whether what viewers get is what was published: every frame, in its order, none missing."""

import hashlib

from .hls.transport_stream import read_segment
from .rtmp import VIDEO, Recording

#: Frames of so many seconds may be shown twice where another origin goes on: what one had announced
#: last, and what lies before that in its group.
TWICE = 12


def _picture(payload: bytes) -> str:
    """Of a frame with length-prefixed NAL units, as `transport_stream` digests a picture.

    Nothing for what is none: the end of a sequence.
    """
    coded, position = [], 5
    while position + 4 <= len(payload):
        length = int.from_bytes(payload[position : position + 4], "big")
        unit = payload[position + 4 : position + 4 + length].rstrip(b"\0")
        if unit and unit[0] & 0x1F in (1, 5):
            coded.append(unit)
        position += 4 + length
    return hashlib.sha256(b"\0".join(coded)).hexdigest() if coded else ""


class Track:
    """The frames of a recording that is published again and again."""

    def __init__(self, digests: list[str], seconds: float) -> None:
        self.count = len(digests)
        self.twice = int(TWICE * self.count / seconds)
        self.places: dict[str, set[int]] = {}
        for place, digest in enumerate(digests):
            self.places.setdefault(digest, set()).add(place)


class Published:
    """What a recording consists of."""

    def __init__(self, recording: Recording) -> None:
        seconds = recording.length / 1000
        pictures = [_picture(data) for _, kind, data in recording.tags if kind == VIDEO]
        sounds = [
            hashlib.sha256(data[2:]).hexdigest()
            for _, kind, data in recording.tags
            if kind != VIDEO
        ]
        self.tracks = {
            "picture": Track([each for each in pictures if each], seconds),
            "sound": Track(sounds, seconds),
        }


class Follower:
    """Compares the segments of one viewer, in their order, with what was published."""

    def __init__(self, published: Published, from_start: bool = False) -> None:
        self._tracks = published.tracks
        #: Where each track may go on; equal frames leave several places possible.
        self._next: dict[str, set[int]] = {}
        if from_start:
            self._next = {name: {0} for name in self._tracks}
        self.frames = 0
        #: Pictures and sounds that were published and did not come.
        self.missing = 0
        #: Those that came once more where another origin has gone on.
        self.repeated = 0

    def next_places(self, track: str) -> set[int]:
        """Where it may go on, counted from the recording's first frame."""
        return self._next.get(track, set())

    def take(self, data: bytes, is_break: bool) -> list[str]:
        """What is wrong with the next segment."""
        segment = read_segment(data)
        wrong = list(segment.faults)
        for name, units in (("picture", segment.pictures), ("sound", segment.sounds)):
            wrong += self._follow(name, [each.digest for each in units], is_break)
        return wrong

    def _follow(self, name: str, digests: list[str], is_break: bool) -> list[str]:
        track = self._tracks[name]
        expected = self._next.get(name)
        wrong: list[str] = []
        for index, digest in enumerate(digests):
            here = track.places.get(digest, set())
            if not here:
                return [f"{name} {index} of the segment was never published"]
            if expected is None:
                found = here
            elif index == 0 and is_break:
                found = {
                    place
                    for place in here
                    if any((each - place) % track.count <= track.twice for each in expected)
                }
                again = [(each - place) % track.count for each in expected for place in found]
                self.repeated += min(again, default=0)
            else:
                found = here & expected
            if not found:
                missing = min((place - each) % track.count for place in here for each in expected)
                self.missing += missing
                wrong.append(f"{missing} frames are missing before {name} {index} of the segment")
                found = here
            expected = {(place + 1) % track.count for place in found}
            self.frames += 1
        if expected is not None:
            self._next[name] = expected
        return wrong
