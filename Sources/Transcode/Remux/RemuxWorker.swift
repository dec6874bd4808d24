import Foundation
import Media

#if canImport(Glibc)
  import Glibc
#endif

/// The child's side: `wedlive remux-worker`, which nobody types.
///
/// It has the recording's files and the empty ones that the movies go into, and nothing else: what
/// stands in a recording was written by somebody else.
package enum RemuxWorker {
  /// The command of the binary that calls `main`.
  package static let command = "remux-worker"

  /// Makes movies and pictures of a recording.
  ///
  /// - Parameters:
  ///   - arguments: what `RemuxOrder.arguments` wrote, without the program and the command.
  ///   - output: the socket to the parent; `RemuxMessage` goes out.
  /// - Returns: the exit status: 0, or the raw value of a `TranscodeError.Code`.
  package static func main(
    arguments: [String], output: CInt = WorkerProcess.outputDescriptor
  ) -> CInt {
    LibavLog.capture()
    // A file that grows beyond its limit is a failed write, and not the end of the process.
    signal(SIGXFSZ, SIG_IGN)
    let voice = RemuxVoice(descriptor: output)
    do throws(TranscodeError) {
      let order = try RemuxOrder(arguments: arguments)
      _ = WorkerConfinement(order.limits)
      try ParentWatch.start(output)
      let result = try make(order, voice)
      guard let json = try? JSONEncoder().encode(result) else {
        throw TranscodeError(.libav, "the result can't be told")
      }
      voice.say(.result(Array(json)))
      return 0
    } catch {
      voice.say(.failed(code: error.code.rawValue, words: error.message))
      return CInt(error.code.rawValue)
    }
  }

  private static func make(
    _ order: RemuxOrder, _ voice: RemuxVoice
  ) throws(TranscodeError) -> RemuxResult {
    let total = Double(max(1, Recording.bytes(order)))
    // Reading it once is quick; writing it, and then moving it for the index, is not.
    let scan = try RecordingScan.scan(order) { voice.reach(0.15 * Double($0) / total) }
    var pictures = try RecordingPictures(order, scan)
    var result = RemuxResult(
      durationSeconds: Double(scan.duration) / 90_000, movies: [], gaps: scan.gaps,
      leftOut: scan.leftOut)
    var timeline = RecordingTimeline()
    var writer = MovieSet(order, scan, voice)
    try Recording.read(order, &timeline, progress: { voice.reach(0.15 + 0.7 * Double($0) / total) })
    {
      (placed) throws(TranscodeError) in
      try writer.write(placed)
      pictures.take(placed, voice)
    }
    result.movies = try writer.finish()
    (result.thumbnails, result.sprite) = pictures.finish(voice)
    return result
  }
}
