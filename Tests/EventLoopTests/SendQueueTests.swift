import EventLoop
import Glibc
import Testing

@Suite struct `Send queue` {
  private func pair() throws -> (Int32, Int32) {
    var ends: [Int32] = [0, 0]
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue)
    try #require(unsafe socketpair(AF_UNIX, kind, 0, &ends) == 0)
    return (ends[0], ends[1])
  }

  @Test func `buffers of every size arrive in order through a socket that fills up`() throws {
    let (out, back) = try pair()
    defer {
      close(out)
      close(back)
    }
    var queue = SendQueue()
    var truth: [UInt8] = []
    for size in 0..<700 {
      let buffer = (0..<size * 3).map { UInt8(truncatingIfNeeded: $0 ^ size) }
      truth += buffer
      queue.append(buffer)
    }
    #expect(queue.count == truth.count)
    var received: [UInt8] = []
    var scratch = [UInt8](repeating: 0, count: 10_000)
    while received.count < truth.count {
      let result = queue.flush(to: out)
      try #require(result == .wouldBlock || queue.isEmpty)
      let count = unsafe read(back, &scratch, scratch.count)
      try #require(count > 0)
      received += scratch[..<count]
    }
    #expect(received == truth)
    #expect(queue.isEmpty)
  }

  @Test func `draining takes part of a buffer and goes on where it stopped`() {
    var queue = SendQueue()
    queue.append([1, 2, 3])
    queue.append([4, 5])
    var got: [UInt8] = []
    for step in [2, 1, 2] {
      var room = step
      queue.drain { bytes in
        let taken = min(room, bytes.count)
        room -= taken
        for index in 0..<taken { got.append(bytes[index]) }
        return taken
      }
    }
    #expect(got == [1, 2, 3, 4, 5])
    #expect(queue.isEmpty)
  }

  @Test func `a reset peer is a failure, and nothing more is sent`() throws {
    let (out, back) = try pair()
    defer { close(out) }
    close(back)
    var queue = SendQueue()
    queue.append([1])
    #expect(queue.flush(to: out) == .failed(EPIPE))
    queue.removeAll()
    #expect(queue.isEmpty && queue.flush(to: out) == .bytes(0))
  }
}
