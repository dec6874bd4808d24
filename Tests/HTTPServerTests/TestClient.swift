import Bytes
import EventLoop
import Glibc
import TLS
import Testing

/// A blocking client, plain or over TLS, that gives up after a generous time.
final class TestClient {
  let descriptor: Int32
  let tls: TLSSession?
  /// Plaintext that has come and was not taken yet.
  var received: [UInt8] = []
  /// Frames taken off what was received.
  var frames: [ReceivedFrame] = []
  /// The server has ended the connection (or reset it).
  private(set) var isEnded = false

  /// Connects without TLS.
  init(plain port: UInt16, receiveBuffer: Int32? = nil) throws {
    descriptor = try Self.connect(port, receiveBuffer)
    tls = nil
  }

  /// Connects with TLS, and finishes the handshake.
  init(
    tls port: UInt16, trusting certificate: String, protocols: [String],
    receiveBuffer: Int32? = nil
  ) throws {
    descriptor = try Self.connect(port, receiveBuffer)
    let context = try TLSContext.client(
      TLSClientConfiguration(
        trust: .file(certificate), protocols: protocols, fastCipher: .off))
    let session = try #require(
      TLSSession(client: context, serverName: "localhost", buffers: TLSBuffers()))
    tls = session
    flush()
    while session.isHandshaking, !isEnded { receiveOnce() }
    try #require(!session.isHandshaking && session.closeReason == nil)
  }

  deinit { close(descriptor) }

  private static func connect(_ port: UInt16, _ receiveBuffer: Int32?) throws -> Int32 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    try #require(descriptor >= 0)
    if var size = receiveBuffer {
      unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, 4)
    }
    var limit = timeval(tv_sec: 120, tv_usec: 0)
    unsafe setsockopt(
      descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    let address = try #require(SocketAddress(host: "127.0.0.1", port: port))
    let result = address.connect(descriptor)
    try #require(result == 0)
    return descriptor
  }

  func send(_ text: String) { send(Array(text.utf8)) }

  func send(_ bytes: [UInt8]) {
    guard let tls else { return raw(bytes) }
    var offset = 0
    while offset < bytes.count {
      let rest = Array(bytes[offset...])
      switch tls.write(rest.span) {
      case .done(let count): offset += count
      case .wantWrite: flush()
      case .wantRead, .closed: return
      }
    }
    flush()
  }

  private func flush() {
    guard let tls, tls.hasPendingOutput else { return }
    let bytes = tls.withOutput { [UInt8](copying: $0) }
    tls.consumeOutput(bytes.count)
    raw(bytes)
  }

  /// Sends bytes as they are, under TLS as well.
  func raw(_ bytes: [UInt8]) {
    var sent = 0
    while sent < bytes.count {
      let count = unsafe bytes.withUnsafeBytes {
        unsafe Glibc.send(
          descriptor, $0.baseAddress.map { unsafe $0 + sent }, bytes.count - sent,
          Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return isEnded = true }
      sent += count
    }
  }

  /// Waits for bytes from the server.
  func receiveOnce() {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
    guard count > 0 else { return isEnded = true }
    guard let tls else { return received += buffer[..<count] }
    let part = Array(buffer[..<count])
    var plain: [UInt8] = []
    if tls.receive(part.span, plaintext: { plain.append(copying: $0) }) == .closed {
      isEnded = true
    }
    received += plain
    flush()
  }

  /// Waits until `count` bytes are there, and takes them; fewer where the connection has ended.
  func take(_ count: Int) -> [UInt8] {
    while received.count < count, !isEnded { receiveOnce() }
    let taken = Array(received.prefix(count))
    received.removeFirst(taken.count)
    return taken
  }

  /// Everything until the server ends the connection.
  func rest() -> [UInt8] {
    while !isEnded { receiveOnce() }
    defer { received = [] }
    return received
  }

  /// Ends our side.
  func finish() { shutdown(descriptor, Int32(SHUT_WR)) }

  /// Resets the connection.
  func reset() {
    var option = linger(l_onoff: 1, l_linger: 0)
    unsafe setsockopt(
      descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    shutdown(descriptor, Int32(SHUT_RDWR))
  }
}

/// An HTTP/1.1 response as a test sees it.
struct TestResponse {
  var status = 0
  var fields: [(name: String, value: String)] = []
  var body: [UInt8] = []

  subscript(name: String) -> String? { fields.first { $0.name == name }?.value }
  var text: String { String(decoding: body, as: UTF8.self) }
}

extension TestClient {
  /// Reads one response; nil where none comes.
  func response(toHead: Bool = false) -> TestResponse? {
    var head: [UInt8] = []
    while !head.suffix(4).elementsEqual("\r\n\r\n".utf8) {
      let byte = take(1)
      if byte.isEmpty { return nil }
      head += byte
    }
    var response = TestResponse()
    let lines = String(decoding: head, as: UTF8.self).split(separator: "\r\n")
    response.status = Int(lines[0].split(separator: " ")[1]) ?? 0
    for line in lines.dropFirst() {
      let parts = line.split(separator: ":", maxSplits: 1)
      response.fields.append(
        (String(parts[0]), parts.count > 1 ? String(parts[1].dropFirst()) : ""))
    }
    if toHead || response.status == 304 || response.status == 204 || response.status == 100 {
      return response
    }
    if response["transfer-encoding"] == "chunked" {
      while let size = line().flatMap({ Int($0, radix: 16) }), size > 0 {
        response.body += take(size)
        _ = line()
      }
      _ = line()
    } else if let length = response["content-length"].flatMap({ Int($0) }) {
      response.body = take(length)
    } else {
      response.body = rest()
    }
    return response
  }

  private func line() -> String? {
    var bytes: [UInt8] = []
    while !bytes.suffix(2).elementsEqual("\r\n".utf8) {
      let byte = take(1)
      if byte.isEmpty { return nil }
      bytes += byte
    }
    return String(decoding: bytes.dropLast(2), as: UTF8.self)
  }

  /// Sends a GET and reads the answer.
  func get(_ target: String, _ fields: String = "") -> TestResponse? {
    send("GET \(target) HTTP/1.1\r\nHost: localhost\r\n\(fields)\r\n")
    return response()
  }
}

extension TestClient {
  /// Reads frames until one satisfies `condition`; nil where the connection ends before.
  func frame(where condition: (ReceivedFrame) -> Bool) -> ReceivedFrame? {
    while true {
      while let frame = ReceivedFrame.take(&received) {
        frames.append(frame)
        if condition(frame) { return frame }
      }
      if isEnded { return nil }
      receiveOnce()
    }
  }

  /// The body of an HTTP/2 response, read to its end; nil where it was reset.
  func h2Body(_ stream: Int32) -> [UInt8]? {
    func isLast(_ frame: ReceivedFrame) -> Bool {
      frame.stream == stream
        && (frame.type == 3 || (frame.type < 2 && frame.flags & Frames.endStream != 0))
    }
    if !frames.contains(where: isLast) {
      guard let last = frame(where: isLast), last.type != 3 else { return nil }
    }
    return frames.filter { $0.type == 0 && $0.stream == stream }.flatMap(\.payload)
  }

  /// The status of an HTTP/2 response that has come.
  func h2Status(_ stream: Int32) -> Int? {
    frames.first { $0.type == 1 && $0.stream == stream }?.status
  }
}
