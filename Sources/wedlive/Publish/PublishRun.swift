import EventLoop
import Foundation
import Glibc
import Ingest
import Media
import TLS
import Transcode

/// One publication on its loop: a worker's tags, at the pace they play at, to a server.
final class PublishRun {
  /// How it came to its end.
  enum End: Error, Equatable, Sendable, CustomStringConvertible {
    case connection(ClientEnd)
    case media(TranscodeError)

    var description: String {
      switch self {
      case .connection(let end): "\(end)"
      case .media(let error): "\(error)"
      }
    }
  }

  /// What may wait for the socket before the worker has to.
  private static let highWater = 4 << 20

  private let options: PublishOptions
  private let input: Int32?
  private unowned let loop: Loop
  private let onStart: () -> Void
  private let onEnd: (End) -> Void
  private var publisher: RTMPPublisher?
  private var feed: MediaFeed?
  private var pacer = RealTimePacer()
  private var wake: ScheduledWork?
  private var metadata: PublishMetadata
  /// Sequence headers that wait for the metadata to be whole; nil once it is sent.
  private var held: [FLVTag]? = []
  private var sent = PublishCounts()
  private var hasEnded = false

  /// Makes a run; it does nothing before `start`.
  ///
  /// - Parameters:
  ///   - options: what and where to.
  ///   - input: the open file of `options.input`, for the worker; closed by the caller.
  ///   - tls: for rtmps.
  ///   - loop: where it lives.
  ///   - onStart: the server takes the stream.
  ///   - onEnd: it is over.
  init(
    _ options: PublishOptions, input: Int32?, tls: TLSContext?, on loop: Loop,
    onStart: @escaping () -> Void, onEnd: @escaping (End) -> Void
  ) {
    self.options = options
    metadata = PublishMetadata(videoBitrate: options.input == nil ? options.video.bitrate : nil)
    self.input = input
    self.loop = loop
    self.onStart = onStart
    self.onEnd = onEnd
    publisher = RTMPPublisher(
      to: options.address, options: .init(tls: tls), on: loop
    ) { [weak self] event in self?.handle(event) }
  }

  /// Connects to the first of these addresses that answers.
  func start(_ addresses: [SocketAddress]) { publisher?.start(addresses) }

  /// Ends the stream politely.
  func finish() {
    if let feed { loop.close(feed) }
    feed = nil
    if let wake { loop.cancel(wake) }
    publisher?.finish()
  }

  /// What it has done so far.
  var counts: PublishCounts {
    var counts = sent
    counts.sentBytes = max(counts.sentBytes, publisher?.sentBytes ?? 0)
    counts.waitingBytes = publisher?.waitingBytes ?? 0
    return counts
  }

  private func handle(_ event: RTMPPublisher.Event) {
    switch event {
    case .started:
      startWorker()
      onStart()
    case .drained: pump()
    case .ended(let end): self.end(.connection(end))
    }
  }

  private func startWorker() {
    do throws(TranscodeError) {
      let process = try WorkerProcess(
        command: PublishWorker.command, arguments: job.arguments, input: input,
        isNonBlocking: true, executable: options.executable)
      let feed = try MediaFeed(process, on: loop)
      feed.onTag = { [weak self] in self?.pump() }
      feed.onEnd = { [weak self] failure in self?.mediaEnded(failure) }
      self.feed = feed
      do {
        try loop.add(feed)
      } catch {
        throw TranscodeError(.system, "watching the media worker: \(error)")
      }
    } catch {
      mediaEnded(error)
    }
  }

  private var job: PublishJob {
    var job = PublishJob(
      options.input == nil
        ? .test(title: options.title, timeOfDay: Self.timeOfDay())
        : .file(loops: options.loops, keepsSourceSize: options.keepsSourceSize))
    job.video = options.video
    return job
  }

  /// The second of the local day, for the test picture's clock.
  private static func timeOfDay() -> Double {
    let now = Date()
    let seconds = now.timeIntervalSince1970 + Double(TimeZone.current.secondsFromGMT(for: now))
    return seconds.truncatingRemainder(dividingBy: 86_400)
  }

  /// Sends what is due, as far as the socket takes it.
  private func pump() {
    if let wake {
      loop.cancel(wake)
      self.wake = nil
    }
    while let feed, let publisher, publisher.isStarted, let tag = feed.first {
      guard publisher.waitingBytes < Self.highWater else { return }
      let time = MediaTime(milliseconds: Int64(tag.timestamp))
      if let limit = options.duration, .milliseconds(time.milliseconds) >= limit {
        return finish()
      }
      let now = Duration.nanoseconds(Int64(clamping: MonotonicTime.now.nanoseconds))
      let wait = pacer.wait(for: time, now: now)
      guard wait <= .milliseconds(2) else {
        wake = loop.schedule(after: wait) { [weak self] in self?.pump() }
        return
      }
      send(tag, at: time)
      feed.removeFirst()
    }
  }

  private func send(_ tag: FLVTag, at time: MediaTime) {
    if metadata.take(tag), held != nil {
      held?.append(tag)
      return
    }
    if let headers = held {
      held = nil
      publisher?.send(metadata: metadata.object)
      for header in headers { publisher?.send(header) }
    }
    publisher?.send(tag)
    sent.time = max(sent.time, time)
    if tag.kind == .video { sent.frames += 1 }
  }

  private func mediaEnded(_ failure: TranscodeError?) {
    feed = nil
    if let failure { end(.media(failure)) } else { publisher?.finish() }
  }

  private func end(_ end: End) {
    guard !hasEnded else { return }
    hasEnded = true
    sent = counts
    if let feed { loop.close(feed) }
    feed = nil
    let publisher = publisher
    self.publisher = nil
    publisher?.finish()
    onEnd(end)
  }
}
