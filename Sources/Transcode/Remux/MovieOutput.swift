import CFFmpeg
import CLinux

#if canImport(Glibc)
  import Glibc
#endif

/// A file that libavformat writes: written and read by place, so that the index can be moved to the
/// front although nothing but this descriptor can be opened.
@safe final class MovieOutput {
  private let descriptor: CInt
  private var position: Int64 = 0
  /// The end of what was written.
  private(set) var bytes: Int64 = 0
  /// Why a write failed, of errno.
  private(set) var failure: CInt = 0
  private let beat: () -> Void
  private(set) var io: UnsafeMutablePointer<AVIOContext>?

  private static let bufferBytes: CInt = 1 << 20

  /// Makes an output of a descriptor, which stays the caller's.
  ///
  /// - Parameters:
  ///   - descriptor: empty, open for reading and writing.
  ///   - beat: is called now and then while something is written.
  /// - Throws: `.libav` where memory is short.
  init(descriptor: CInt, beat: @escaping () -> Void) throws(TranscodeError) {
    self.descriptor = descriptor
    self.beat = beat
    let me = unsafe Unmanaged.passUnretained(self).toOpaque()
    guard let buffer = unsafe av_malloc(Int(Self.bufferBytes)) else {
      throw TranscodeError.libav(wl_av_error_memory(), "opening an output")
    }
    unsafe io = wl_avio_writer(
      buffer.assumingMemoryBound(to: UInt8.self), Self.bufferBytes, me,
      { opaque, bytes, count in
        unsafe MovieOutput.from(opaque)?.write(bytes, Int(count)) ?? wl_av_error_invalid()
      },
      { opaque, offset, whence in
        unsafe MovieOutput.from(opaque)?.seek(offset, whence) ?? -1
      })
    guard unsafe io != nil else {
      unsafe av_free(buffer)
      throw TranscodeError.libav(wl_av_error_memory(), "opening an output")
    }
  }

  deinit { unsafe MovieOutput.close(io) }

  /// What a failed result of libavformat's means, if it was the disk.
  func error(_ result: CInt, _ operation: String) -> TranscodeError {
    if failure == 0 { return TranscodeError.libav(result, operation) }
    var error = TranscodeError.system("writing the recording", errno: failure)
    if failure == ENOSPC || failure == EDQUOT { error.code = .full }
    // Beyond the worker's own limit: that is no fault of the disk's.
    if failure == EFBIG { error.code = .libav }
    return error
  }

  /// An output's own second way to its bytes, for moving them: `io_open` of libavformat's.
  func openReader() -> UnsafeMutablePointer<AVIOContext>? {
    guard let buffer = unsafe av_malloc(Int(Self.bufferBytes)) else { return nil }
    let reader = unsafe Unmanaged.passRetained(MovieReader(descriptor: descriptor))
    let io = unsafe avio_alloc_context(
      buffer.assumingMemoryBound(to: UInt8.self), Self.bufferBytes, 0, reader.toOpaque(),
      { opaque, bytes, count in
        unsafe MovieReader.from(opaque)?.read(bytes, Int(count)) ?? wl_av_error_invalid()
      }, nil,
      { opaque, offset, whence in
        unsafe MovieReader.from(opaque)?.seek(offset, whence) ?? -1
      })
    if unsafe io == nil {
      unsafe av_free(buffer)
      unsafe reader.release()
    }
    return unsafe io
  }

  /// Ends what `openReader` began.
  static func closeReader(_ io: UnsafeMutablePointer<AVIOContext>) {
    if let opaque = unsafe io.pointee.opaque {
      unsafe Unmanaged<MovieReader>.fromOpaque(opaque).release()
    }
    unsafe close(io)
  }

  static func from(_ opaque: UnsafeMutableRawPointer?) -> MovieOutput? {
    guard let opaque = unsafe opaque else { return nil }
    return unsafe Unmanaged<MovieOutput>.fromOpaque(opaque).takeUnretainedValue()
  }

  private static func close(_ io: UnsafeMutablePointer<AVIOContext>?) {
    guard let io = unsafe io else { return }
    unsafe av_free(io.pointee.buffer)
    unsafe io.pointee.buffer = nil
    var pointer: UnsafeMutablePointer<AVIOContext>? = unsafe io
    unsafe avio_context_free(&pointer)
  }

  private func write(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    beat()
    var written = 0
    while written < count, let from = unsafe bytes {
      let result = unsafe pwrite(descriptor, from + written, count - written, off_t(position))
      if result > 0 {
        written += result
        position += Int64(result)
      } else if result < 0, errno != EINTR {
        failure = errno
        return -failure
      }
    }
    self.bytes = max(self.bytes, position)
    return CInt(count)
  }

  private func seek(_ offset: Int64, _ whence: CInt) -> Int64 {
    if whence & AVSEEK_SIZE != 0 { return bytes }
    switch whence & ~AVSEEK_FORCE {
    case SEEK_SET: position = offset
    case SEEK_CUR: position += offset
    case SEEK_END: position = bytes + offset
    default: return -1
    }
    return position
  }
}

/// Reads what a `MovieOutput` has written.
private final class MovieReader {
  private let descriptor: CInt
  private var position: Int64 = 0

  init(descriptor: CInt) { self.descriptor = descriptor }

  static func from(_ opaque: UnsafeMutableRawPointer?) -> MovieReader? {
    guard let opaque = unsafe opaque else { return nil }
    return unsafe Unmanaged<MovieReader>.fromOpaque(opaque).takeUnretainedValue()
  }

  func read(_ bytes: UnsafeMutablePointer<UInt8>?, _ count: Int) -> CInt {
    while true {
      let result = unsafe pread(descriptor, bytes, count, off_t(position))
      if result > 0 {
        position += Int64(result)
        return CInt(result)
      }
      if result == 0 { return wl_av_error_eof() }
      if errno != EINTR { return -errno }
    }
  }

  func seek(_ offset: Int64, _ whence: CInt) -> Int64 {
    switch whence & ~(AVSEEK_FORCE | AVSEEK_SIZE) {
    case SEEK_SET where whence & AVSEEK_SIZE == 0: position = offset
    case SEEK_CUR: position += offset
    default: return -1
    }
    return position
  }
}
