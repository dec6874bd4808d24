/// Places packets of sound on samples, where the recording has milliseconds.
///
/// A packet of 1024 samples at 44.1 kHz lasts 23.22 ms, but FLV says 23 or 24: the packets are put
/// one right after the other instead, as long as that agrees with the times.
struct SampleClock: Sendable {
  private let rate: Int64
  private let packetSamples: Int64
  private var next: Int64?
  private var last: Int64 = -1

  /// How far what is counted may lie from what is said, in milliseconds.
  private static let tolerance: Int64 = 60

  /// - Parameters:
  ///   - rate: samples a second.
  ///   - packetSamples: of each packet; 0 if they differ.
  init(rate: Int, packetSamples: Int) {
    self.rate = Int64(max(1, rate))
    self.packetSamples = Int64(packetSamples)
  }

  /// The sample that a packet begins with: later than the one before it.
  ///
  /// - Parameter ticks: what is said, in 1/90000 s.
  /// - Returns: a sample, counted from the start of the movie.
  mutating func place(_ ticks: Int64) -> Int64 {
    let said = (ticks * rate + 45_000) / 90_000
    var sample = said
    if let next, packetSamples > 0, abs(next - said) <= Self.tolerance * rate / 1_000 {
      sample = next
    }
    sample = max(sample, last + 1)
    last = sample
    next = sample + packetSamples
    return sample
  }
}
