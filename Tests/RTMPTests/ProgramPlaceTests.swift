import Testing

@testable import RTMP

@Suite struct `A program's place that a relay is told` {
  private let place = ProgramPlace(
    number: 1_700, discontinuity: 4, date: 1_795_939_000_000, camera: "al-tar_.2", sequence: 812,
    epoch: 3)

  @Test func `it comes with how far viewers have the stream`() throws {
    let pair = Pair(Pair.publisher())
    try pair.start()
    _ = pair.takeClientEvents()
    let progress = RelayProgress(sequence: 812, discontinuity: 3, end: 90, program: place)
    pair.server.notifyProgress(progress, of: 1, into: &pair.toClient)
    try pair.pump()
    #expect(pair.takeClientEvents() == [.progressed(progress)])
  }

  @Test func `it is read as it was said, and nothing else`() {
    #expect(ProgramPlace(place.text) == place)
    #expect(place.text == "1700.4.1795939000000.812.3.al-tar_.2")
    let long = String(repeating: "a", count: 128)
    #expect(ProgramPlace("0.0.0.9007199254740991.0.\(long)")?.camera == long)
    for text in [
      "", "1.2.3.4.5", "1.2.3.4.5.", "1.2.3.4.5..a", "1.2.3.4.5.a b", "1.2.3.4.5.a&b=c",
      "1.2.3.4.5.é", "-1.2.3.4.5.a", "1.-2.3.4.5.a", "1.2.-3.4.5.a", "1.2.3.-4.5.a",
      "1.2.3.4.-5.a", "9007199254740992.2.3.4.5.a", "1.2.3.99999999999999999999.5.a",
      "1e3.2.3.4.5.a", " 1.2.3.4.5.a", "1.2.3.4.5.\(long)a", "1.2.3.4.a", ".....",
    ] {
      #expect(ProgramPlace(text) == nil, "\(text)")
    }
  }
}
