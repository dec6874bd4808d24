import Access
import Bytes
import HLS
import HTTPSemantics
import Ingest
import RTMP

/// Targets, and the names and queries in them.
func fuzzQuery(_ input: [UInt8]) throws(Finding) {
  try target(input)
  try reload(input)
  let text = String(decoding: input, as: UTF8.self)
  let name = StreamName(text)
  try check(name.raw == text, "a stream's name is not kept as it came")
  try check(
    name.path.utf8.count + name.query.reduce(0) { $0 + $1.value.utf8.count } <= 3 * text.utf8.count,
    "a stream's name grew")
  if let address = try? RTMPAddress(text) {
    try check(!address.host.isEmpty && !address.app.isEmpty && address.port > 0, "an empty part")
  }
  let pairs = FormCoding.decode(input)
  try check(pairs.count <= FormCoding.maxPairs, "\(pairs.count) pairs")
  let again = FormCoding.decode(FormCoding.encode(pairs))
  try check(
    zip(again, pairs).allSatisfy { $0.0 == $1.0 && $0.1 == $1.1 } && again.count == pairs.count,
    "a form differs after writing and reading")
  _ = percentDecoded(input.span)
}

private func target(_ input: [UInt8]) throws(Finding) {
  var request = Request(limits: RequestLimits())
  let method = Array("GET".utf8)
  do throws(RequestError) {
    try request.set(method: method.span)
    try request.set(target: input.span)
  } catch {
    return
  }
  try inspectPath(request.path, of: request.method)
  try check(request.target.utf8.count <= 3 * max(1, input.count), "a target grew")
  var query: [UInt8] = []
  request.withQuery { query = [UInt8](copying: $0) }
  try check(!query.contains { $0 <= 0x20 || $0 == 0x7f }, "a byte in a query")
  let text = String(decoding: query, as: UTF8.self).utf8
  try check(
    request.target.utf8.suffix(text.count).elementsEqual(text), "a target without its query")
  try reload(query)
}

/// What a query asks of a playlist, and a playlist that carries a query.
private func reload(_ query: [UInt8]) throws(Finding) {
  let request = ReloadRequest.parse(query: query.span)
  if case .from(let sequence, let part) = request {
    try check(sequence >= 0 && (part ?? 0) >= 0, "a negative number")
    try check(request.answer(nextSequence: sequence + 1, isEnded: false) == .respond, "held")
    try check(request.answer(nextSequence: sequence, isEnded: true) == .respond, "held at the end")
    try check(
      request.answer(nextSequence: sequence, isEnded: false) == .hold(until: sequence), "not held")
  }
  let info = VariantInfo(
    bandwidth: 1, averageBandwidth: 1, codecs: ["a"], size: nil, frameRate: nil)
  let playlist = MasterPlaylist([.init(uri: "a.m3u8", info: info)]).text
  guard let text = playlist.text(withQuery: query.span) else { return }
  try check(
    text.count { $0 == 0x0a } == playlist.plain.count { $0 == 0x0a }, "a query adds a line")
  try check(
    text.count { $0 == 0x22 } == playlist.plain.count { $0 == 0x22 }, "a query adds a quote")
  try check(
    text.count == playlist.plain.count + (query.isEmpty ? 0 : query.count + 1), "a query is cut")
}
