import Bytes

/// The head of one request, borrowed by whoever answers it.
///
/// The bytes live in one arena that the loop reuses for every request, so reading a request
/// allocates nothing. Nothing of it may be kept: what must outlive the call is copied out
/// (`string(_:)`, `path`). Reading it is in `Request+Lookup.swift`.
///
/// - Note: Public, though its members are for the package, because an `open` method names it.
@safe public struct Request: ~Copyable {
  /// A part of the arena.
  @usableFromInline struct Slice {
    @usableFromInline var offset: Int32 = 0
    @usableFromInline var count: Int32 = 0
    var range: Range<Int> { Int(offset)..<Int(offset + count) }
  }

  /// One field; `next` chains the fields of one known name, 0 at the end.
  struct Field {
    var name: Slice
    var value: Slice
    var known: UInt8
    var next: UInt8
  }

  package let limits: RequestLimits

  @usableFromInline let arena: UnsafeMutablePointer<UInt8>
  let capacity: Int
  var used = 0
  let fields: UnsafeMutablePointer<Field>
  var fieldCount = 0
  /// For each known name: the index + 1 of its first and of its last field.
  let first: UnsafeMutablePointer<UInt8>
  let last: UnsafeMutablePointer<UInt8>
  var fieldBytes = 0
  /// One bit for each known name that was sent.
  var present: UInt32 = 0

  /// The method; the name of an `.other` one is in `methodName`.
  package internal(set) var method = Method.other
  /// 0 or 1: the minor version of HTTP/1; 2 for HTTP/2.
  package internal(set) var version = 1
  var methodSlice = Slice()
  var targetSlice = Slice()
  @usableFromInline var pathSlice = Slice()
  @usableFromInline var querySlice = Slice()
  @usableFromInline var authoritySlice = Slice()
  var hasPath = false
  var hasAuthority = false
  /// Whether the scheme in the request (absolute-form, `:scheme`) is https; not to be trusted.
  package var schemeIsHTTPS = false

  /// Makes an empty head with room for what the limits allow.
  package init(limits: RequestLimits) {
    self.limits = limits
    // The target is kept as sent and as decoded; method and authority have bounds of their own.
    capacity = limits.targetBytes * 2 + limits.fieldBytes + 1024
    unsafe arena = .allocate(capacity: capacity)
    unsafe fields = .allocate(capacity: min(limits.fields, 254))
    unsafe first = .allocate(capacity: FieldName.allCases.count)
    unsafe last = .allocate(capacity: FieldName.allCases.count)
    unsafe first.initialize(repeating: 0, count: FieldName.allCases.count)
    unsafe last.initialize(repeating: 0, count: FieldName.allCases.count)
  }

  deinit {
    unsafe arena.deallocate()
    unsafe fields.deallocate()
    unsafe first.deallocate()
    unsafe last.deallocate()
  }

  /// Forgets the request, and keeps the room.
  package mutating func reset() {
    present = 0
    used = 0
    fieldCount = 0
    fieldBytes = 0
    method = .other
    version = 1
    methodSlice = Slice()
    targetSlice = Slice()
    pathSlice = Slice()
    querySlice = Slice()
    authoritySlice = Slice()
    hasPath = false
    hasAuthority = false
    schemeIsHTTPS = false
  }

  /// Copies bytes into the arena; `nil` when it is full.
  mutating func store(_ bytes: borrowing Span<UInt8>) -> Slice? {
    let count = bytes.count
    guard count <= capacity - used else { return nil }
    if count > 0 {
      unsafe bytes.withUnsafeBufferPointer {
        guard let base = $0.baseAddress else { return }
        unsafe (arena + used).update(from: base, count: count)
      }
    }
    let slice = Slice(offset: Int32(used), count: Int32(count))
    used += count
    return slice
  }

  /// Sets the method.
  ///
  /// - Throws: `.malformed(.method)` when it is not a token or longer than any method is.
  package mutating func set(method name: borrowing Span<UInt8>) throws(RequestError) {
    guard (1...24).contains(name.count) else { throw .malformed(.method) }
    for index in name.indices where !isTokenByte(name[index]) { throw .malformed(.method) }
    method = Method(name)
    guard let slice = store(name) else { throw .fieldsTooLarge }
    methodSlice = slice
  }

  /// Sets the version: 0 and 1 for HTTP/1.x, 2 for HTTP/2.
  package mutating func set(version: Int) { self.version = version }

  /// Sets the authority: Host, `:authority`, or that of an absolute-form target, which comes first
  /// and wins.
  ///
  /// - Throws: `.malformed(.host)` when a byte in it cannot stand in a host and port.
  package mutating func set(authority: borrowing Span<UInt8>) throws(RequestError) {
    for index in authority.indices where !isAuthorityByte(authority[index]) {
      throw .malformed(.host)
    }
    guard !hasAuthority else { return }
    guard authority.count <= 512, let slice = store(authority) else { throw .malformed(.host) }
    authoritySlice = slice
    hasAuthority = true
  }

  /// Adds a field whose name is in lower case and whose value has no blanks around it.
  ///
  /// The caller has checked both against the grammar.
  /// - Throws: `.fieldsTooLarge`.
  package mutating func add(
    name: borrowing Span<UInt8>, value: borrowing Span<UInt8>
  ) throws(RequestError) {
    fieldBytes += name.count + value.count + 32
    guard fieldCount < min(limits.fields, 254), fieldBytes <= limits.fieldBytes,
      let nameSlice = store(name), let valueSlice = store(value)
    else { throw .fieldsTooLarge }
    let known = FieldName(name).map { $0.rawValue + 1 } ?? 0
    unsafe (fields + fieldCount).initialize(
      to: Field(name: nameSlice, value: valueSlice, known: known, next: 0))
    fieldCount += 1
    guard known != 0 else { return }
    let slot = Int(known) - 1
    if present & (1 << UInt32(slot)) == 0 {
      present |= 1 << UInt32(slot)
      unsafe first[slot] = UInt8(fieldCount)
    } else {
      unsafe fields[Int(last[slot]) - 1].next = UInt8(fieldCount)
    }
    unsafe last[slot] = UInt8(fieldCount)
  }
}
