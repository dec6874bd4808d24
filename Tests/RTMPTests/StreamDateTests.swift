import Testing

@testable import RTMP

@Suite struct `Dates that a relay is told` {
  @Test func `a relay is told the date of a stream of which viewers have nothing for certain`()
    throws
  {
    let pair = Pair(Pair.publisher())
    try pair.start()
    _ = pair.takeClientEvents()
    let date = StreamDate(time: 3_000, date: 1_795_939_000_000)
    let nothing = RelayProgress(sequence: -1, discontinuity: 0, end: nil, date: date)
    // A relay of the version before takes that for no progress.
    #expect(nothing.status(nil).more["sequence"] == nil)
    pair.server.notifyProgress(nothing, of: 1, into: &pair.toClient)
    pair.server.notifyProgress(.nothing, of: 1, into: &pair.toClient)
    try pair.pump()
    #expect(pair.takeClientEvents() == [.progressed(nothing)])
  }

  @Test func `a date is read as it was said, and nothing else`() {
    for date in [
      StreamDate(time: 0, date: 1), StreamDate(time: .max, date: 9_007_199_254_740_991),
    ] {
      #expect(StreamDate(date.text) == date)
    }
    for text in [
      "", "1", "1.", ".1", "1.1.1", "1.0", "-1.1", "1.-1", "4294967296.1", "1.9e3",
      "1.9007199254740992", "1.99999999999999999999", " 1.1",
    ] {
      #expect(StreamDate(text) == nil, "\(text)")
    }
  }
}
