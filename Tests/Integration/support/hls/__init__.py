"""An independent judge of live HLS: RFC 8216, its second edition, Apple's authoring rules.

It shares no code with the server: playlists are parsed by PyPI's m3u8, transport streams by the
few pages here.
"""
