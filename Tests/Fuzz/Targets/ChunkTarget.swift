import Bytes
import RTMP

/// What a chunk stream gave: its messages, and why it ended early.
private struct ChunkReading {
  var messages: [Message] = []
  var failure: ProtocolError.Code?

  init(_ input: [UInt8], in pieces: [Range<Int>], _ limits: Limits) throws(Finding) {
    var reader = ChunkReader(limits: limits)
    for piece in pieces {
      let bytes = Array(input[piece])
      var cursor = ByteCursor()
      do throws(ProtocolError) {
        while let message = try reader.next(bytes.span, &cursor) { messages.append(message) }
      } catch {
        failure = error.code
        return
      }
      try check(cursor.offset == bytes.count, "bytes are left behind without a message")
      try check(reader.heldBytes >= 0, "holds \(reader.heldBytes) bytes")
      try check(
        reader.heldBytes <= limits.memoryBytes, "holds \(reader.heldBytes) bytes, over the limit")
    }
  }
}

/// However the bytes are cut the messages are the same, and what is written of them reads the same.
func fuzzChunks(_ input: [UInt8]) throws(Finding) {
  var limits = Limits()
  limits.messageBytes = 1 << 18
  limits.memoryBytes = 1 << 19
  limits.chunkStreams = 12
  let whole = try ChunkReading(input, in: [0..<input.count], limits)
  var pieces = Pieces(for: input)
  let cut = try ChunkReading(input, in: pieces.ranges(of: input.count), limits)
  // A message that comes in one piece needs no room, so the limit of memory alone may differ.
  if whole.failure == .memory || cut.failure == .memory {
    try check(
      zip(whole.messages, cut.messages).allSatisfy(==), "messages differ when cut in pieces")
  } else {
    try check(whole.failure == cut.failure, "the failure differs when cut in pieces")
    try check(whole.messages == cut.messages, "messages differ when cut in pieces")
  }
  try writeAgain(whole.messages, chunkSize: 1 + pieces.number(below: 4096))
}

/// Messages written and read come out the same; control messages are the reader's own.
private func writeAgain(_ messages: [Message], chunkSize: Int) throws(Finding) {
  var writer = ChunkWriter()
  var output: [UInt8] = []
  writer.setChunkSize(chunkSize, into: &output)
  for message in messages {
    writer.write(
      message.type, on: 3 + message.streamID % 70, streamID: message.streamID,
      timestamp: message.timestamp, payload: message.payload.span, into: &output)
  }
  var limits = Limits()
  limits.chunkStreams = 80
  let again = try ChunkReading(output, in: [0..<output.count], limits)
  try check(again.failure == nil, "what was written can't be read")
  try check(again.messages == messages, "messages differ after writing and reading")
}
