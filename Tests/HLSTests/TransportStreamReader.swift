/// A transport stream demultiplexer that shares nothing with the muxer: it checks what every
/// receiver relies on, and gives the PES packets.
struct TransportStreamReader {
  struct Packet: Equatable {
    var pid: Int
    var pts: Int64
    var dts: Int64
    var data: [UInt8]
    var isRandomAccess: Bool
  }

  private(set) var problems: [String] = []
  private(set) var packets: [Packet] = []
  private(set) var references: [Int64] = []
  private(set) var programMaps: [[UInt8]] = []
  private(set) var associations: [[UInt8]] = []
  private var counters: [Int: Int] = [:]
  private var open: [Int: (data: [UInt8], isRandomAccess: Bool)] = [:]

  /// Reads a whole segment; counters are expected to run on from the last one.
  mutating func read(_ segment: [UInt8]) {
    if segment.count % 188 != 0 { problems.append("\(segment.count) bytes are no whole packets") }
    for start in stride(from: 0, to: segment.count - 187, by: 188) {
      read(packet: Array(segment[start..<start + 188]), isFirst: start / 188)
    }
    for pid in open.keys.sorted() { close(pid) }
  }

  private mutating func read(packet: [UInt8], isFirst index: Int) {
    guard packet[0] == 0x47 else { return problems.append("no sync byte") }
    let pid = Int(packet[1] & 0x1F) << 8 | Int(packet[2])
    if index == 0, pid != 0 { problems.append("a segment begins with PID \(pid)") }
    if index == 1, pid != 0x1000 { problems.append("PID \(pid) after the PAT") }
    let isStart = packet[1] & 0x40 != 0
    let control = packet[3] >> 4 & 3
    let counter = Int(packet[3] & 0x0F)
    let isBreak = control & 2 != 0 && packet[4] > 0 && packet[5] & 0x80 != 0
    if let last = counters[pid], counter != (last + 1) % 16, !isBreak {
      problems.append("PID \(pid): counter \(counter) after \(last)")
    }
    counters[pid] = counter
    var position = 4
    var isRandomAccess = false
    if control & 2 != 0 {
      let length = Int(packet[4])
      if length > 183 || (control == 3 && length > 182) {
        problems.append("an adaptation field of \(length)")
      }
      if length > 0 {
        isRandomAccess = packet[5] & 0x40 != 0
        var used = 1
        if packet[5] & 0x10 != 0 {
          let base = packet[6..<10].reduce(Int64(0)) { $0 << 8 | Int64($1) } << 1
          references.append(base | Int64(packet[10] >> 7))
          used += 6
        }
        if packet[5 + used..<5 + length].contains(where: { $0 != 0xFF }) {
          problems.append("stuffing that isn't FF")
        }
      }
      position = 5 + length
    }
    guard control & 1 != 0, position < 188 else { return }
    let payload = Array(packet[position...])
    if pid == 0 || pid == 0x1000 { return table(pid, payload) }
    if isStart {
      close(pid)
      open[pid] = (payload, isRandomAccess)
    } else if open[pid] != nil {
      open[pid]?.data += payload
    } else {
      problems.append("PID \(pid): data before a PES header")
    }
  }

  private mutating func table(_ pid: Int, _ payload: [UInt8]) {
    let length = Int(payload[2] & 0x0F) << 8 | Int(payload[3])
    let section = Array(payload[1..<4 + length])
    if reference32(section) != 0 { problems.append("a table with a wrong checksum") }
    if pid == 0 { associations.append(section) } else { programMaps.append(section) }
  }

  /// The checksum over a whole section, its own field included, is 0.
  private func reference32(_ bytes: [UInt8]) -> UInt32 {
    bytes.reduce(UInt32.max) { crc, byte in
      var crc = crc ^ UInt32(byte) << 24
      for _ in 0..<8 { crc = crc >> 31 == 1 ? crc << 1 ^ 0x04C1_1DB7 : crc << 1 }
      return crc
    }
  }

  private mutating func close(_ pid: Int) {
    guard let (data, isRandomAccess) = open.removeValue(forKey: pid) else { return }
    guard data.count >= 14, data[0] == 0, data[1] == 0, data[2] == 1 else {
      return problems.append("PID \(pid): no PES start code")
    }
    let length = Int(data[4]) << 8 | Int(data[5])
    if length != 0, length != data.count - 6 {
      problems.append("PES length \(length) for \(data.count - 6) bytes")
    }
    if length == 0, data[3] != 0xE0 { problems.append("sound without a PES length") }
    let pts = time(data, 9)
    let dts = data[7] & 0x40 != 0 ? time(data, 14) : pts
    packets.append(
      Packet(
        pid: pid, pts: pts, dts: dts, data: Array(data[(9 + Int(data[8]))...]),
        isRandomAccess: isRandomAccess))
  }

  private mutating func time(_ data: [UInt8], _ at: Int) -> Int64 {
    if data[at] & 1 == 0 || data[at + 2] & 1 == 0 || data[at + 4] & 1 == 0 {
      problems.append("a timestamp without its marker bits")
    }
    return Int64(data[at] >> 1 & 7) << 30 | Int64(data[at + 1]) << 22
      | Int64(data[at + 2] >> 1) << 15 | Int64(data[at + 3]) << 7 | Int64(data[at + 4] >> 1)
  }

  /// Splits Annex B into NAL units.
  static func units(_ data: [UInt8]) -> [[UInt8]] {
    var starts: [Int] = []
    var index = 0
    while index + 2 < data.count {
      if data[index] == 0, data[index + 1] == 0, data[index + 2] == 1 {
        starts.append(index + 3)
        index += 3
      } else {
        index += 1
      }
    }
    return starts.indices.map { position in
      var end = position + 1 < starts.count ? starts[position + 1] - 3 : data.count
      while position + 1 < starts.count, end > starts[position], data[end - 1] == 0 { end -= 1 }
      return Array(data[starts[position]..<end])
    }
  }

  /// Splits ADTS into the raw frames and their headers.
  static func adts(_ data: [UInt8]) -> [(header: [UInt8], frame: [UInt8])] {
    var frames: [(header: [UInt8], frame: [UInt8])] = []
    var start = 0
    while start + 7 <= data.count, data[start] == 0xFF, data[start + 1] & 0xF6 == 0xF0 {
      let length =
        Int(data[start + 3] & 3) << 11 | Int(data[start + 4]) << 3 | Int(data[start + 5] >> 5)
      guard length >= 7, start + length <= data.count else { break }
      frames.append(
        (Array(data[start..<start + 7]), Array(data[start + 7..<start + length])))
      start += length
    }
    return frames
  }
}
