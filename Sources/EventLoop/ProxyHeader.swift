/// The PROXY protocol's header, versions 1 and 2, with which a balancer says who the client is.
///
/// Only for connections from balancers that are trusted: anybody can write one.
package enum ProxyHeader {
  /// What the first bytes of a connection hold.
  package enum Outcome: Equatable, Sendable {
    /// Not whole yet; nothing of it may be used before it is.
    case incomplete
    /// Not a PROXY header, or one with reserved values; the connection is closed.
    case malformed
    /// A header of `length` bytes; `source` is nil where the balancer speaks for itself (health
    /// checks) or the client's family has no ports.
    case complete(length: Int, source: SocketAddress?)
  }

  private static let signature: [UInt8] = [
    0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a,
  ]
  /// The longest version 1 line, with its end.
  private static let longestLine = 107
  /// The longest version 2 header that is taken: addresses and a few TLVs.
  private static let longestBlock = 16 + 4096

  /// Reads the header from the start of a connection's bytes.
  ///
  /// - Note: Source: haproxy's proxy-protocol.txt, 2.1 and 2.2.
  package static func parse(_ bytes: borrowing Span<UInt8>) -> Outcome {
    guard bytes.count > 0 else { return .incomplete }
    if bytes[0] == 0x50 { return version1(bytes) }
    for index in 0..<min(bytes.count, signature.count) where bytes[index] != signature[index] {
      return .malformed
    }
    return bytes.count < 16 ? .incomplete : version2(bytes)
  }

  private static func version1(_ bytes: borrowing Span<UInt8>) -> Outcome {
    let prefix = Array("PROXY ".utf8)
    for index in 0..<min(bytes.count, prefix.count) where bytes[index] != prefix[index] {
      return .malformed
    }
    var end = 0
    while end < bytes.count, bytes[end] != 0x0d {
      // The line's end must fit too, however many bytes came at once.
      guard (0x20..<0x7f).contains(bytes[end]), end < longestLine - 2 else { return .malformed }
      end += 1
    }
    guard end + 1 < bytes.count else { return .incomplete }
    guard bytes[end + 1] == 0x0a else { return .malformed }
    var words: [String] = [""]
    for index in 0..<end {
      if bytes[index] == 0x20 {
        words.append("")
      } else {
        words[words.count - 1].unicodeScalars.append(Unicode.Scalar(bytes[index]))
      }
    }
    if words.count >= 2, words[1] == "UNKNOWN" { return .complete(length: end + 2, source: nil) }
    guard words.count == 6, let port = port(words[4]), self.port(words[5]) != nil,
      let source = SocketAddress(host: words[2], port: port),
      let target = SocketAddress(host: words[3], port: 0), source.family == target.family,
      words[1] == (words[2].contains(":") ? "TCP6" : "TCP4"), !words[2].hasPrefix("[")
    else { return .malformed }
    return .complete(length: end + 2, source: source)
  }

  /// A decimal port without leading zeros.
  private static func port(_ word: String) -> UInt16? {
    guard word.utf8.allSatisfy({ (0x30...0x39).contains($0) }), word == "0" || !word.hasPrefix("0")
    else { return nil }
    return UInt16(word)
  }

  private static func version2(_ bytes: borrowing Span<UInt8>) -> Outcome {
    guard bytes[12] == 0x20 || bytes[12] == 0x21 else { return .malformed }
    let family = bytes[13] >> 4
    guard family <= 3, bytes[13] & 15 <= 2 else { return .malformed }
    let length = 16 + Int(bytes[14]) << 8 + Int(bytes[15])
    guard length <= longestBlock else { return .malformed }
    guard bytes.count >= length else { return .incomplete }
    if bytes[12] == 0x20 { return .complete(length: length, source: nil) }
    switch (family, bytes[13] & 15) {
    case (1, 1):
      guard length >= 16 + 12 else { return .malformed }
      let host = (16..<20).map { "\(bytes[$0])" }.joined(separator: ".")
      let port = UInt16(bytes[24]) << 8 | UInt16(bytes[25])
      return .complete(length: length, source: SocketAddress(host: host, port: port))
    case (2, 1):
      guard length >= 16 + 36 else { return .malformed }
      let groups = stride(from: 16, to: 32, by: 2).map {
        String(Int(bytes[$0]) << 8 | Int(bytes[$0 + 1]), radix: 16)
      }
      let port = UInt16(bytes[48]) << 8 | UInt16(bytes[49])
      let host = groups.joined(separator: ":")
      return .complete(length: length, source: SocketAddress(host: host, port: port))
    default: return .complete(length: length, source: nil)
    }
  }

  /// Makes a version 2 header that names a client.
  ///
  /// - Parameters:
  ///   - source: the client.
  ///   - destination: what it connected to.
  /// - Returns: 28 bytes where both are IPv4, 52 otherwise.
  package static func version2(source: SocketAddress, destination: SocketAddress) -> [UInt8] {
    let mapped: [UInt8] = [UInt8](repeating: 0, count: 10) + [0xff, 0xff]
    let addresses = [source.mappedBytes, destination.mappedBytes]
    let isIPv4 = addresses.allSatisfy { $0.starts(with: mapped) }
    var bytes = signature + [0x21, isIPv4 ? 0x11 : 0x21, 0, isIPv4 ? 12 : 36]
    for address in addresses { bytes += isIPv4 ? address[12...] : address[...] }
    for port in [source.port, destination.port] {
      bytes += [UInt8(port >> 8), UInt8(truncatingIfNeeded: port)]
    }
    return bytes
  }
}
