/// Where the bodies of one connection's streamed responses come from.
///
/// They are few, as a rule one, and looked for one after the other.
struct StreamedBodies {
  struct Body {
    let stream: Int32
    let source: BodySource
    /// Its source has nothing at the moment.
    var isStalled = false
    /// It waits until others have their heads (`Crowd`).
    var isHeldBack: Bool
  }

  private var bodies: [Body] = []

  /// How many have nothing to send at the moment.
  var waiting: Int { bodies.count { $0.isStalled || $0.isHeldBack } }

  /// The body of a stream; nil where it has none.
  subscript(stream: Int32) -> Body? { index(of: stream).map { bodies[$0] } }

  /// A response begins on a stream that has none.
  mutating func add(_ source: BodySource, of stream: Int32, isHeldBack: Bool) {
    bodies.append(Body(stream: stream, source: source, isHeldBack: isHeldBack))
  }

  /// Takes one out; nil where there is none.
  mutating func remove(_ stream: Int32) -> BodySource? {
    index(of: stream).map { bodies.remove(at: $0).source }
  }

  /// Takes all of them out.
  mutating func removeAll() -> [BodySource] {
    defer { bodies = [] }
    return bodies.map(\.source)
  }

  /// Says whether a source has nothing at the moment; returns false where there is none.
  @discardableResult
  mutating func set(_ stream: Int32, isStalled: Bool) -> Bool {
    guard let index = index(of: stream) else { return false }
    bodies[index].isStalled = isStalled
    return true
  }

  /// A body need not wait for others' heads any longer; returns false where it doesn't.
  mutating func letGo(_ stream: Int32) -> Bool {
    guard let index = index(of: stream), bodies[index].isHeldBack else { return false }
    bodies[index].isHeldBack = false
    return true
  }

  private func index(of stream: Int32) -> Int? {
    bodies.indices.first { bodies[$0].stream == stream }
  }
}
