import HTTPSemantics

/// Calls `body` with each directive of a list: `name`, `name=token`, `name="quoted"`.
///
/// What is no directive is left out, up to the next comma outside of quotes: a blank before or
/// after the `=`, a name that is no token. A quote that is never closed takes the rest.
///
/// - Parameters:
///   - value: one field's, at most some KiB, as the server's limits have it.
///   - body: is given the name's place in `value`, and a copy of the argument without quotes.
func forEachDirective(
  _ value: borrowing Span<UInt8>, _ body: (Range<Int>, [UInt8]?) -> Void
) {
  var start = 0
  while start < value.count {
    var end = start
    var isQuoted = false
    while end < value.count, isQuoted || value[end] != 0x2c {
      if isQuoted, value[end] == 0x5c {
        end += 1
      } else if value[end] == 0x22 {
        isQuoted.toggle()
      }
      end += 1
    }
    end = min(end, value.count)
    let element = value.trimmedRange(in: start..<end)
    start = end + 1
    var equals = element.lowerBound
    while equals < element.upperBound, isTokenByte(value[equals]) { equals += 1 }
    let name = element.lowerBound..<equals
    guard !name.isEmpty else { continue }
    if equals == element.upperBound {
      body(name, nil)
    } else if value[equals] == 0x3d {
      body(name, argument(value, equals + 1..<element.upperBound))
    }
  }
}

/// A directive's argument without the quotes it may have (RFC 9110, 5.6.4).
private func argument(_ value: borrowing Span<UInt8>, _ range: Range<Int>) -> [UInt8] {
  var out: [UInt8] = []
  guard range.count >= 2, value[range.lowerBound] == 0x22,
    value[range.upperBound - 1] == 0x22
  else {
    for index in range { out.append(value[index]) }
    return out
  }
  var index = range.lowerBound + 1
  while index < range.upperBound - 1 {
    if value[index] == 0x5c, index + 1 < range.upperBound - 1 { index += 1 }
    out.append(value[index])
    index += 1
  }
  return out
}
