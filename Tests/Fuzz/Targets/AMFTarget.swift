import Bytes
import RTMP

/// Whatever is read, written as AMF0 and read again, is written the same.
func fuzzAMF(_ input: [UInt8]) throws(Finding) {
  for type in [MessageType.command, .commandAMF3] {
    _ = try? Command(input.span, type: type)
  }
  // Few values, so that strings named by reference can't unfold to much when they are written.
  var limits = AMFLimits()
  limits.values = 256
  let (values, _) = AMFValue.values(of: input.span, type: .data, limits: limits)
  try check(values.count <= limits.values, "\(values.count) values")
  try writeAgain(values)
  var reader = AMFReader(limits: limits)
  var cursor = ByteCursor()
  guard let value = try? reader.amf3(input.span, &cursor) else { return }
  try check(cursor.offset <= input.count, "reads past the end")
  try writeAgain([value])
  var written: [UInt8] = []
  written.append(amf3: value)
  var again = AMFReader(limits: AMFLimits())
  cursor = ByteCursor()
  do throws(AMFError) {
    _ = try again.amf3(written.span, &cursor)
  } catch {
    throw Finding("AMF3 that was written can't be read: \(error)")
  }
}

private func writeAgain(_ values: [AMFValue]) throws(Finding) {
  var first: [UInt8] = []
  for value in values { first.append(amf0: value) }
  // Values in bytes of AMF3 stand one deeper.
  var limits = AMFLimits()
  limits.depth += 2
  let (again, failure) = AMFValue.values(of: first.span, type: .data, limits: limits)
  try check(failure == nil, "what was written can't be read")
  var second: [UInt8] = []
  for value in again { second.append(amf0: value) }
  try check(first == second, "values differ after writing and reading")
}
