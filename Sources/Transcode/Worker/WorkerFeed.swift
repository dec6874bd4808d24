import CLinux
package import Media

#if canImport(Glibc)
  import Glibc
#endif

/// Turns the bytes of a worker's socket into tags; it knows no socket.
package struct WorkerFeed: Sendable {
  private var reader = FLVReader()
  /// Why the worker said that it ends.
  package private(set) var lastWords: String?

  package init() {}

  /// Takes the next bytes.
  package mutating func append(_ bytes: borrowing Span<UInt8>) { reader.append(bytes) }

  /// The next whole tag: `.video` or `.audio`, sequence headers included.
  ///
  /// - Returns: nil when more bytes are needed.
  /// - Throws: `.libav` if the bytes are no FLV: the worker is broken, and should be stopped.
  package mutating func next() throws(TranscodeError) -> FLVTag? {
    do throws(FLVReader.Failure) {
      while let tag = try reader.next() {
        guard let words = WorkerOutput.lastWords(tag) else { return tag }
        lastWords = words
      }
      return nil
    } catch {
      throw TranscodeError(.libav, "the media worker sent no FLV (\(error))")
    }
  }

  /// What the end of the socket means.
  ///
  /// - Parameter exit: how the child ended.
  /// - Returns: nil if it has done its work; else a sentence for a person.
  package func failure(after exit: WorkerExit) -> TranscodeError? {
    switch exit {
    case .exited(status: 0): return lastWords.map { TranscodeError(.libav, $0) }
    case .exited(let status):
      let code = UInt8(exactly: status).flatMap(TranscodeError.Code.init(rawValue:)) ?? .libav
      return TranscodeError(code, lastWords ?? "the media worker ended with \(exit)")
    case .killed:
      return TranscodeError(.libav, "the media worker was \(exit): the input may be broken")
    }
  }
}

/// Reads a worker's tags on an ordinary thread, which waits for them.
package struct WorkerReader {
  package let process: WorkerProcess
  private var feed = WorkerFeed()
  private var buffer = [UInt8](repeating: 0, count: 64 << 10)

  package init(_ process: WorkerProcess) { self.process = process }

  /// Waits for the next tag.
  ///
  /// - Returns: nil when the worker has done its work.
  /// - Throws: why it could not.
  package mutating func next() throws(TranscodeError) -> FLVTag? {
    while true {
      if let tag = try feed.next() { return tag }
      let count = unsafe read(process.descriptor, &buffer, buffer.count)
      if count > 0 {
        let bytes = buffer
        feed.append(bytes.span.extracting(first: count))
      } else if count < 0, errno == EAGAIN {
        var poller = pollfd(fd: process.descriptor, events: Int16(POLLIN), revents: 0)
        _ = unsafe poll(&poller, 1, -1)
      } else if count == 0 || errno != EINTR {
        if let failure = feed.failure(after: process.wait()) { throw failure }
        return nil
      }
    }
  }
}
