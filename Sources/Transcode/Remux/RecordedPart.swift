import Media

#if canImport(Glibc)
  import Glibc
#endif

/// Reads one FLV file of a recording from its start; the descriptor is read by place, so it can be
/// read more than once.
struct RecordedPart {
  private let descriptor: CInt
  private var scanner = TagScanner()
  private var buffer = [UInt8](repeating: 0, count: 512 << 10)
  /// How many bytes were read.
  private(set) var position = 0
  private var isEnd = false

  init(descriptor: CInt) { self.descriptor = descriptor }

  /// The next tag, or what had to be passed over; `.needsMore` where there is neither in what was
  /// read.
  ///
  /// - Returns: nil at the end.
  /// - Throws: `.system` where the disk can't be read.
  mutating func next() throws(TranscodeError) -> TagScanner.Step? {
    while true {
      let step = scanner.next(isEnd: isEnd)
      guard step == .needsMore else { return step }
      if isEnd { return nil }
      let count = unsafe pread(descriptor, &buffer, buffer.count, off_t(position))
      if count > 0 {
        position += count
        let bytes = buffer
        scanner.append(bytes.span.extracting(first: count))
        // So that who reads gigabytes of nothing still says that it is at work.
        return scanner.next(isEnd: false)
      } else if count == 0 {
        isEnd = true
      } else if errno != EINTR {
        throw TranscodeError.system("reading the recording", errno: errno)
      }
    }
  }
}
