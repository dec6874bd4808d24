import ArgumentParser
import EventLoop
import Foundation
import Ingest
import Synchronization
import TLS
import Transcode
import UnixSignals

/// `wedlive publish`: sends a file or a test picture to any RTMP server.
struct PublishCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "publish",
    abstract: "Publish a file, or a moving test picture with a tone, over RTMP or RTMPS.",
    discussion: """
      Without --input it sends a test picture with a clock on it. A file's H.264 and AAC are sent \
      as they are, all else is encoded. ^C ends the stream politely. The status is 1 where the \
      server refuses or the connection breaks, and a line says why.
      """)

  @Argument(help: ArgumentHelp("rtmp://host/app/name or rtmps://…", valueName: "url"))
  var url: String

  @Option(name: .shortAndLong, help: ArgumentHelp("The file to send.", valueName: "file"))
  var input: String?

  @Flag(help: "Begin the file anew at its end.")
  var loop = false

  @Option(help: ArgumentHelp("The picture's size when it is encoded.", valueName: "WxH"))
  var size: String?

  @Option(help: ArgumentHelp("Pictures a second of the test picture.", valueName: "fps"))
  var rate = "30"

  @Option(help: ArgumentHelp("Of encoded pictures: 800k, 2.5M.", valueName: "bits/s"))
  var bitrate = "2M"

  @Option(help: ArgumentHelp("Seconds between keyframes of encoded pictures.", valueName: "s"))
  var keyframes = 2.0

  @Option(help: "What stands on the test picture.")
  var title = "wedlive"

  @Option(help: ArgumentHelp("Stop after this much: 10s, 5m.", valueName: "duration"))
  var duration: String?

  @Option(help: ArgumentHelp("Trust the authorities of this PEM file.", valueName: "file"))
  var ca: String?

  @Flag(help: "Take any certificate: nobody checks whom you publish to.")
  var insecure = false

  @Flag(name: .shortAndLong, help: "Say nothing but what goes wrong.")
  var quiet = false

  func validate() throws { _ = try options() }

  func run() async throws {
    let options = try options()
    let terminal = Terminal(STDERR_FILENO)
    let progress = Mutex(PublishProgress())
    let isQuiet = quiet
    var task = PublishTask(options)
    task.events.started = {
      if !isQuiet { terminal.write("publishing to \(options.address)\n") }
    }
    task.events.progress = { counts in
      guard !isQuiet, terminal.isInteractive else { return }
      terminal.write("\r\u{1B}[K" + progress.withLock { $0.line(counts, at: .now) })
    }
    do {
      let counts = try await stopping(task)
      if !isQuiet {
        let clock = PublishProgress.clock(counts.time)
        let sent = PublishProgress.size(counts.sentBytes)
        terminal.write(
          "\(terminal.isInteractive ? "\r\u{1B}[K" : "")done: \(clock), \(counts.frames) pictures, \(sent)\n"
        )
      }
    } catch {
      if terminal.isInteractive { terminal.write("\r\u{1B}[K") }
      throw CommandFailure(explained(error, options))
    }
  }

  /// Runs the task; a signal ends it politely, a second one at once.
  private func stopping(_ task: PublishTask) async throws -> PublishCounts {
    let work = Task { try await task.run() }
    let signals = Task {
      var seen = 0
      for await _ in await UnixSignalsSequence(trapping: .sigint, .sigterm) {
        seen += 1
        if seen > 1 { Foundation.exit(130) }
        work.cancel()
      }
    }
    defer { signals.cancel() }
    return try await work.value
  }

  private func explained(_ error: any Error, _ options: PublishOptions) -> [String] {
    switch error {
    case PublishRun.End.connection(.insecure(let words)):
      [
        "\(options.address): \(words)",
        "--ca FILE names an authority to trust, --insecure trusts anybody",
      ]
    case PublishRun.End.connection(.violated(let error)) where !options.address.isSecure:
      [
        "\(options.address): \(ClientEnd.violated(error))",
        "a port that speaks TLS wants rtmps://; the node's banner says which port takes RTMP",
      ]
    case PublishRun.End.connection(.lost(.requesting)) where !options.address.isSecure:
      [
        "\(options.address): \(ClientEnd.lost(.requesting))",
        "a port that speaks TLS wants rtmps://; the node's banner says which port takes RTMP",
      ]
    case PublishRun.End.connection(let end): ["\(options.address): \(end)"]
    default: ["\(error)"]
    }
  }

  private func options() throws -> PublishOptions {
    let address: RTMPAddress
    do {
      address = try RTMPAddress(url)
    } catch {
      throw ValidationError("\(error)")
    }
    var options = PublishOptions(to: address)
    options.input = input
    options.loops = loop
    options.title = title
    options.keepsSourceSize = size == nil
    let (width, height) = try pictureSize()
    guard let frameRate = FrameRate(rate) else {
      throw ValidationError("--rate: \"\(rate)\" is unfit; expected 1 to 240, such as 29.97")
    }
    guard let bits = Self.bits(bitrate), (10_000...400_000_000).contains(bits) else {
      throw ValidationError("--bitrate: \"\(bitrate)\" is unfit; expected 10k to 400M")
    }
    guard (0.1...60).contains(keyframes) else {
      throw ValidationError("--keyframes: expected 0.1 to 60 seconds")
    }
    options.video = VideoSettings(
      width: width, height: height, rate: frameRate, bitrate: bits, keyframeSeconds: keyframes)
    if let duration {
      guard let length = DurationText.parse(duration), length > .zero else {
        throw ValidationError("--duration: \"\(duration)\" is unfit; expected such as 10s")
      }
      options.duration = length
    }
    guard ca == nil || !insecure else {
      throw ValidationError("--ca and --insecure contradict each other")
    }
    options.trust = insecure ? .anybody : ca.map { .file($0) } ?? .system
    return options
  }

  private func pictureSize() throws -> (Int, Int) {
    guard let size else { return (1280, 720) }
    let parts = size.lowercased().split(separator: "x").compactMap { Int($0) }
    guard parts.count == 2, (160...7680).contains(parts[0]), (90...4320).contains(parts[1]) else {
      throw ValidationError("--size: \"\(size)\" is unfit; expected WxH from 160x90 to 7680x4320")
    }
    return (parts[0], parts[1])
  }

  /// Reads `800k`, `2.5M` or a plain number of bits a second.
  static func bits(_ text: String) -> Int? {
    let scale: Double =
      switch text.last {
      case "k", "K": 1e3
      case "m", "M": 1e6
      default: 1
      }
    let number = Double(scale == 1 ? text : String(text.dropLast()))
    guard let number, number.isFinite, number > 0, number * scale < 1e12 else { return nil }
    return Int(number * scale)
  }
}
