import Bytes
import Foundation
import Media
import Transcode

/// What a worker says that a hostile stream has taken over: a transcode worker's events and a remux
/// worker's messages, with the result that is among them.
func fuzzWorker(_ input: [UInt8]) throws(Finding) {
  var pieces = Pieces(for: input)
  let ranges = pieces.ranges(of: input.count)
  let events = try ladder(input, in: [0..<input.count])
  try check(events == (try ladder(input, in: ranges)), "events differ when cut in pieces")
  let messages = try remux(input, in: [0..<input.count])
  try check(messages == (try remux(input, in: ranges)), "messages differ when cut in pieces")
  for message in messages {
    if case .result(let json) = message { judge(json) }
  }
  judge(input)
}

private func ladder(
  _ input: [UInt8], in pieces: [Range<Int>]
) throws(Finding) -> [LadderEvent] {
  var reader = LadderMessageReader<LadderEvent>()
  var events: [LadderEvent] = []
  for piece in pieces {
    let bytes = Array(input[piece])
    reader.append(bytes.span)
    do throws(LadderWireError) {
      while let event = try reader.next() { events.append(event) }
    } catch {
      break
    }
  }
  for event in events {
    guard case .frame(_, let frame, _) = event else { continue }
    // Their distance doesn't overflow.
    _ = frame.pts - frame.dts
  }
  return events
}

private func remux(
  _ input: [UInt8], in pieces: [Range<Int>]
) throws(Finding) -> [RemuxMessage] {
  var feed = RemuxFeed()
  var messages: [RemuxMessage] = []
  for piece in pieces {
    let bytes = Array(input[piece])
    feed.append(bytes.span)
    do throws(TranscodeError) {
      while let message = try feed.next() { messages.append(message) }
    } catch {
      break
    }
  }
  var written: [UInt8] = []
  for message in messages { message.append(to: &written) }
  // What is no UTF-8 of a worker's words is replaced by three bytes each.
  try check(written.count <= 3 * input.count, "more than the worker said")
  return messages
}

private func judge(_ json: [UInt8]) {
  guard let result = try? JSONDecoder().decode(RemuxResult.self, from: Data(json)) else { return }
  _ = result.isSound { _ in 1_000 }
}
