import EventLoop

/// A header is taken at its last byte: never before, and the same with more behind it.
func fuzzProxyHeader(_ input: [UInt8]) throws(Finding) {
  let whole = outcome(input[...])
  var previous = "incomplete"
  for count in 0...input.count {
    let part = outcome(input[..<count])
    try check(
      previous == "incomplete" || previous == part, "\(previous) becomes \(part) at \(count)")
    previous = part
  }
  try check(previous == whole, "the outcome differs when read again")
}

private func outcome(_ bytes: ArraySlice<UInt8>) -> String {
  let bytes = Array(bytes)
  return switch ProxyHeader.parse(bytes.span) {
  case .incomplete: "incomplete"
  case .malformed: "malformed"
  case .complete(let length, let source):
    length > bytes.count ? "too long" : "\(length) \(source?.host ?? "") \(source?.port ?? 0)"
  }
}
