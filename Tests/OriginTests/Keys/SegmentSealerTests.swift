import Viewers
import HLS
import Media
import TLS
import Testing

@testable import Origin

@Suite struct `Segment sealer` {
  private final class Sealer {
    private var sealer: SegmentSealer

    init(segmentsPerKey: Int?, renditions: Int = 2) {
      let schedule = segmentsPerKey.map { count in
        var configuration = KeySchedule.Configuration()
        configuration.segmentsPerKey = count
        return KeySchedule(configuration: configuration)
      }
      sealer = SegmentSealer(schedule, renditions: renditions)
    }

    func append(_ sequence: Int, of rendition: Int) {
      let segment = Segment(
        name: Segment.name(sequence: sequence), sequence: sequence, discontinuitySequence: 0,
        bytes: [UInt8](repeating: UInt8(rendition), count: 188), duration: MediaTime.zero,
        startTime: .zero, programDate: 0, isDiscontinuity: false, isIndependent: true,
        targetDuration: 3)
      sealer.append(segment, of: rendition == 0 ? .source : .rung(rendition))
    }

    func add(_ key: StreamKeyMaterial) { sealer.add(key) }
    var retired: [StreamKeyMaterial] { sealer.takeRetired() }
    var isStuck: Bool { sealer.isStuck }

    /// What can be had now: number, rendition, key.
    func all() throws -> [String] {
      var all: [String] = []
      while let (place, segment) = try sealer.next(now: .zero) {
        let rendition = place == .source ? 0 : 1
        all.append("\(segment.sequence) \(rendition) \(segment.key?.uri.suffix(7) ?? "plain")")
      }
      return all
    }
  }

  private func key(_ name: String) -> StreamKeyMaterial {
    StreamKeyMaterial(
      id: name, bytes: [UInt8](repeating: 7, count: 16), wedding: "w")
  }

  @Test func `renditions that come late have the key of their number`() throws {
    let sealer = Sealer(segmentsPerKey: 1)
    sealer.add(key("one"))
    sealer.append(5, of: 0)
    #expect(try sealer.all() == ["5 0 one.key"])
    sealer.add(key("two"))
    sealer.append(6, of: 0)
    sealer.append(5, of: 1)
    sealer.append(6, of: 1)
    #expect(try sealer.all() == ["6 0 two.key", "5 1 one.key", "6 1 two.key"])
    #expect(sealer.retired == [key("one")])
    #expect(sealer.retired == [])
  }

  @Test func `what comes before the first key waits, in order, and not for ever`() throws {
    let sealer = Sealer(segmentsPerKey: 10)
    for sequence in 0..<16 {
      sealer.append(sequence, of: 0)
      sealer.append(sequence, of: 1)
    }
    #expect(try sealer.all() == [])
    #expect(!sealer.isStuck)
    sealer.append(16, of: 0)
    #expect(sealer.isStuck)
    sealer.add(key("one"))
    let all = try sealer.all()
    #expect(all.count == 33)
    #expect(all.prefix(3) == ["0 0 one.key", "0 1 one.key", "1 0 one.key"])
  }

  @Test func `without encryption segments pass as they are`() throws {
    let sealer = Sealer(segmentsPerKey: nil)
    sealer.append(1, of: 0)
    sealer.append(1, of: 1)
    #expect(try sealer.all() == ["1 0 plain", "1 1 plain"])
  }
}
