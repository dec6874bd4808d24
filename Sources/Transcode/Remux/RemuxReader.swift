import Bytes
import CLinux
import Foundation

#if canImport(Glibc)
  import Glibc
#endif

/// The parent's ear: takes a remux worker's messages from its socket, and ends one that says
/// nothing.
struct RemuxReader {
  private let process: WorkerProcess
  private let patience: Int32
  private var feed = RemuxFeed()
  private var buffer = [UInt8](repeating: 0, count: 256 << 10)

  init(_ process: WorkerProcess, patience: Duration) {
    self.process = process
    self.patience = Int32(clamping: patience.components.seconds * 1_000)
  }

  /// Waits for the next message.
  ///
  /// - Returns: nil when the socket has ended.
  /// - Throws: `.hung`; `.crashed` for what no worker says.
  mutating func next() throws(RemuxError) -> RemuxMessage? {
    while true {
      do throws(TranscodeError) {
        if let message = try feed.next() { return message }
      } catch {
        process.stop()
        throw RemuxError(.crashed, error.message)
      }
      var poller = pollfd(fd: process.descriptor, events: Int16(POLLIN), revents: 0)
      let ready = unsafe poll(&poller, 1, patience)
      if ready == 0 {
        process.stop()
        throw RemuxError(
          .hung, "the remux worker did nothing for \(patience / 1_000) seconds, and was ended")
      }
      if ready < 0 { continue }
      let count = unsafe read(process.descriptor, &buffer, buffer.count)
      if count > 0 {
        let bytes = buffer
        feed.append(bytes.span.extracting(first: count))
      } else if count == 0 || errno != EINTR && errno != EAGAIN {
        return nil
      }
    }
  }

  /// Reads what the child said it has made.
  ///
  /// - Throws: `.crashed` for what no worker says.
  static func result(_ json: [UInt8]) throws(RemuxError) -> RemuxResult {
    guard let result = try? JSONDecoder().decode(RemuxResult.self, from: Data(json)) else {
      throw RemuxError(.crashed, "the remux worker said what makes no sense")
    }
    return result
  }

  /// What the child's last words mean.
  static func error(_ code: UInt8, _ words: String) -> RemuxError {
    switch TranscodeError.Code(rawValue: code) {
    case .input: RemuxError(.noMedia, words)
    case .full: RemuxError(.full, words)
    // A disk that can't be read or written comes back; the recording is not to blame.
    case .system: RemuxError(.folder, words)
    case .usage, .codecMissing, .libav, .outputClosed, nil: RemuxError(.failed, words)
    }
  }
}

/// Turns the bytes of a remux worker's socket into messages; it knows no socket.
package struct RemuxFeed: Sendable {
  private var bytes: [UInt8] = []
  private var cursor = ByteCursor()

  package init() {}

  /// Takes the next bytes.
  package mutating func append(_ more: borrowing Span<UInt8>) {
    bytes.removeFirst(cursor.offset)
    cursor.offset = 0
    bytes.append(copying: more)
  }

  /// The next whole message.
  ///
  /// - Returns: nil when more bytes are needed.
  /// - Throws: `.libav` for what no worker sends.
  package mutating func next() throws(TranscodeError) -> RemuxMessage? {
    let held = bytes
    return try RemuxMessage.read(held.span, at: &cursor)
  }
}
