/// The `name=value` words that a job crosses in from the parent to the child, read one by one.
struct WorkerArguments {
  private var values: [String: String] = [:]

  /// Takes words apart.
  ///
  /// - Throws: `.usage` for one without an equals sign.
  init(_ words: [String]) throws(TranscodeError) {
    for word in words {
      guard let equals = word.firstIndex(of: "=") else {
        throw TranscodeError(.usage, "\(word): expected name=value")
      }
      values[String(word[..<equals])] = String(word[word.index(after: equals)...])
    }
  }

  /// Takes a value out.
  ///
  /// - Parameters:
  ///   - name: must be there.
  ///   - read: makes a value of its text; nil if that has no sense.
  /// - Returns: the value.
  /// - Throws: `.usage`, naming the word.
  mutating func take<Value>(
    _ name: String, _ read: (String) -> Value?
  ) throws(TranscodeError) -> Value {
    guard let text = values.removeValue(forKey: name) else {
      throw TranscodeError(.usage, "\(name) is missing")
    }
    guard let value = read(text) else {
      throw TranscodeError(.usage, "\(name)=\(text) makes no sense")
    }
    return value
  }

  /// Takes a whole number out.
  mutating func count(_ name: String, in range: ClosedRange<Int>) throws(TranscodeError) -> Int {
    try take(name) { text in Int(text).flatMap { range.contains($0) ? $0 : nil } }
  }

  /// Takes text out.
  mutating func text(_ name: String) throws(TranscodeError) -> String { try take(name) { $0 } }

  /// Takes what `WorkerLimits.arguments` wrote.
  mutating func limits() throws(TranscodeError) -> WorkerLimits {
    var limits = WorkerLimits()
    limits.memoryBytes = try take("memory") { UInt64($0) }
    limits.niceness = try count("nice", in: 0...19)
    limits.fileBytes = try take("file-size") { UInt64($0) }
    return limits
  }

  /// Throws if a word was left: nobody knows what it means.
  func end() throws(TranscodeError) {
    if let unknown = values.keys.min() { throw TranscodeError(.usage, "\(unknown): unknown word") }
  }
}
