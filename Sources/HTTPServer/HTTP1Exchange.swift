import HTTP1
import Telemetry

/// Where an HTTP/1.1 connection is in its row of requests: one is answered before the next is read.
final class HTTP1Exchange {
  enum Phase: Equatable { case head, body, waiting, sending }

  var phase = Phase.head
  var scanner = HeadScanner()
  var scanned = 0
  /// Bytes that came before they could be used: a part of a head, or pipelined requests.
  var inbox: [UInt8] = []
  var framing = RequestFraming()
  var decoder = BodyDecoder(.none)
  /// The request that is being answered, counted from 1.
  var ordinal: Int32 = 0
  var isVersion10 = false

  // The response.
  var body: [UInt8] = []
  var position = 0
  var end = 0
  var isStreaming = false
  var isChunked = false
  var sourceIsPending = false
  /// Bytes that may be sent before its pace is asked again.
  var allowance = Int.max
  var isHeldByPace = false
  /// Counts its body.
  var tally: Tally?
  /// Bytes of the body still owed, where Content-Length said how many there are.
  var owed = 0

  var hasPartialHead: Bool { phase == .head && !inbox.isEmpty }
  /// Whether more may be read: where a head is awaited, all that came of it is of use already.
  var isReadyForInput: Bool { phase == .head || inbox.count < 16 << 10 }
}
