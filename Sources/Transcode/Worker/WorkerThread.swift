import CLinux

#if canImport(Glibc)
  import Glibc
#endif

/// A thread of a worker: it runs until its work returns, and nobody waits for it.
enum WorkerThread {
  private final class Work {
    let run: @Sendable () -> Void

    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }

  /// libav's codecs keep a few hundred kilobytes on it; address space is what the limit counts.
  private static let stackBytes = 2 << 20

  /// Starts a thread.
  ///
  /// - Parameters:
  ///   - name: what `top -H` shows; 15 letters at most.
  ///   - run: its work.
  /// - Throws: `.system` when there can be no more threads.
  static func start(
    _ name: String, _ run: @escaping @Sendable () -> Void
  ) throws(TranscodeError) {
    var attributes = pthread_attr_t()
    unsafe pthread_attr_init(&attributes)
    defer { unsafe pthread_attr_destroy(&attributes) }
    unsafe pthread_attr_setstacksize(&attributes, stackBytes)
    unsafe pthread_attr_setdetachstate(&attributes, CInt(PTHREAD_CREATE_DETACHED))
    let work = unsafe Unmanaged.passRetained(
      Work {
        // A thread may name itself; naming another opens a file, which a worker may not.
        unsafe pthread_setname_np(pthread_self(), String(name.prefix(15)))
        run()
      })
    var thread = pthread_t()
    let result = unsafe pthread_create(
      &thread, &attributes,
      { context in
        guard let context = unsafe context else { return nil }
        unsafe Unmanaged<Work>.fromOpaque(context).takeRetainedValue().run()
        return nil
      }, work.toOpaque())
    if result != 0 {
      unsafe work.release()
      throw TranscodeError.system("starting a thread", errno: result)
    }
  }
}
