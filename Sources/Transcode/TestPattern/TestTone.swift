#if canImport(Glibc)
  import Glibc
#endif

/// The sound of a test picture: a quiet sine and, at the start of each second, a short beep.
///
/// The beep lasts a tenth of a second, exactly while the picture flashes; both channels are alike.
package struct TestTone: Sendable {
  package let sampleRate: Int
  /// Of the sine that never stops.
  package var hum: Double = 220
  /// Of the beep.
  package var beep: Double = 1000
  /// How loud the sine is, 1 being full scale: −36 dB.
  package var humLevel: Float = 0.016
  /// How loud the beep is: −14 dB.
  package var beepLevel: Float = 0.2
  private let startSample: Int64

  /// A tone whose seconds are those of a timeline.
  package init(timeline: TestTimeline, sampleRate: Int) {
    self.sampleRate = max(1, sampleRate)
    startSample = timeline.startSample(sampleRate: Int64(self.sampleRate))
  }

  /// Computes samples of one channel.
  ///
  /// - Parameters:
  ///   - first: the stream's sample number of the first.
  ///   - count: how many.
  /// - Returns: values of −1...1.
  package func samples(from first: Int64, count: Int) -> [Float] {
    let length = sampleRate / 10
    let ramp = max(1, sampleRate / 200)
    let humStep = 2 * Double.pi * hum / Double(sampleRate)
    let beepStep = 2 * Double.pi * beep / Double(sampleRate)
    var samples = [Float](repeating: 0, count: max(0, count))
    for index in samples.indices {
      // The phase is taken within a second, in which both sines have whole turns: a Double stays
      // exact for ever.
      let inSecond = Int((first + Int64(index) + startSample) % Int64(sampleRate))
      samples[index] = humLevel * Float(sin(humStep * Double(inSecond)))
      if inSecond < length {
        let edge = min(inSecond, length - 1 - inSecond)
        let gain = edge >= ramp ? 1 : Float(edge) / Float(ramp)
        samples[index] += beepLevel * gain * Float(sin(beepStep * Double(inSecond)))
      }
    }
    return samples
  }
}
