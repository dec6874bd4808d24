import Bytes
import Storage

/// What a storage answers: S3's XML and Telegram's JSON.
func fuzzStorage(_ input: [UInt8]) throws(Finding) {
  let answer = XMLText(input)
  for name in ["Code", "Message", "UploadId", "NextPartNumberMarker", "IsTruncated", "ETag"] {
    guard let text = answer[name] else { continue }
    try check(text.utf8.count <= 3 * input.count, "\(name) is longer than the answer")
  }
  let parts = answer.all("Part")
  try check(parts.count * 13 <= input.count, "\(parts.count) parts")
  for element in parts + answer.all("Upload") { _ = element["Key"] ?? element["ETag"] }
  // What is written into a request is read as it was.
  let text = String(decoding: input, as: UTF8.self)
  let document = "<Key>" + XMLText.escaped(text) + "</Key>"
  try check(XMLText(Array(document.utf8))["Key"] == text, "a name is another one when it is read")
  guard let bot = BotAnswer(input) else { return }
  if bot.ok {
    _ = BotAnswer.result(BotAnswer.Message.self, input)?.file
    _ = BotAnswer.result(BotAnswer.File.self, input)
  }
}
