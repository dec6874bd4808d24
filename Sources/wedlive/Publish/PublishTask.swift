import CLinux
import EventLoop
import Foundation
import Ingest
import TLS

/// A publication from start to end, for those who wait: the command and the demo.
struct PublishTask: Sendable {
  /// What happens meanwhile.
  struct Events: Sendable {
    /// The server takes the stream.
    var started: @Sendable () -> Void = {}
    /// Told about once a second.
    var progress: @Sendable (PublishCounts) -> Void = { _ in }

    init() {}
  }

  let options: PublishOptions
  var events = Events()

  init(_ options: PublishOptions) { self.options = options }

  /// Publishes until the media is over, the server ends it or the task is cancelled.
  ///
  /// - Returns: what was done, where it ended well.
  /// - Throws: `StartFailure` where the input or the authority can't be read, `PublishRun.End`.
  func run() async throws -> PublishCounts {
    let input = try openInput()
    defer { if let input { close(input) } }
    let tls = try context()
    let host = options.address.host
    let port = options.address.port
    let numeric = SocketAddress(host: host, port: port)
    let addresses =
      if let numeric { [numeric] } else { await HostNames.lookUp(host, port: port) }
    let loops = try LoopGroup(count: 1)
    defer { loops.stop() }
    let (stream, continuation) = AsyncStream<PublishRun.End>.makeStream()
    let started = events.started
    let options = options
    try await loops.mailboxes[0].run { loop in
      let run = PublishRun(
        options, input: input, tls: tls, on: loop, onStart: started
      ) { end in
        continuation.yield(end)
        continuation.finish()
      }
      loop.setLocal(run)
      run.start(addresses)
    }
    let reporter = Task { await report(loops) }
    defer { reporter.cancel() }
    let end = await withTaskCancellationHandler {
      await stream.first { _ in true }
    } onCancel: {
      loops.submitToAll { $0.local(PublishRun.self)?.finish() }
    }
    let counts = try await loops.mailboxes[0].run { $0.local(PublishRun.self)?.counts }
    switch end {
    case .connection(.finished)?, nil: return counts ?? PublishCounts()
    case let end?: throw end
    }
  }

  private func report(_ loops: LoopGroup) async {
    while !Task.isCancelled {
      try? await Task.sleep(for: .seconds(1))
      let counts = try? await loops.mailboxes[0].run { $0.local(PublishRun.self)?.counts }
      if let counts = counts ?? nil, !Task.isCancelled { events.progress(counts) }
    }
  }

  private func openInput() throws(StartFailure) -> Int32? {
    guard let path = options.input else { return nil }
    if let problem = ReadableFile.problem(path) { throw StartFailure("\(path): \(problem)") }
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw StartFailure(unsafe "\(path): \(String(cString: strerror(errno)))")
    }
    return descriptor
  }

  private func context() throws(StartFailure) -> TLSContext? {
    guard options.address.isSecure else { return nil }
    do throws(TLSError) {
      return try TLSContext.client(TLSClientConfiguration(trust: options.trust))
    } catch {
      throw StartFailure("\(error)")
    }
  }
}
