package import Bytes

/// What references of one AMF3 value may name.
struct AMF3Tables {
  struct Traits {
    var className = ""
    var names: [String] = []
    var isDynamic = false
  }

  var strings: [String] = []
  var objects: [(value: AMFValue, weight: Int)] = []
  var traits: [Traits] = []
}

// AMF 3 specification (2013).
extension AMFReader {
  /// Reads one AMF3 value.
  ///
  /// - Throws: `AMFError`; where the cursor then stands has no meaning.
  package mutating func amf3(
    _ bytes: borrowing Span<UInt8>, _ cursor: inout ByteCursor
  ) throws(AMFError) -> AMFValue {
    try amf3(bytes, &cursor, depth: 0)
  }

  mutating func amf3(
    _ bytes: borrowing Span<UInt8>, _ cursor: inout ByteCursor, depth: Int
  ) throws(AMFError) -> AMFValue {
    try spend(1)
    guard depth <= limits.depth else { throw .tooDeep }
    let marker = try u8(bytes, &cursor)
    switch marker {
    case AMF3Marker.undefined: return .undefined
    case AMF3Marker.null: return .null
    case AMF3Marker.false: return .boolean(false)
    case AMF3Marker.true: return .boolean(true)
    case AMF3Marker.integer:
      // 29 bits, two's complement.
      let raw = Int32(bitPattern: try u29(bytes, &cursor) << 3) >> 3
      return .number(Double(raw))
    case AMF3Marker.double: return .number(try double(bytes, &cursor))
    case AMF3Marker.string: return .string(try amf3String(bytes, &cursor))
    default:
      let head = try u29(bytes, &cursor)
      guard head & 1 == 1 else { return try amf3Reference(Int(head >> 1)) }
      let slot = tables.objects.count
      let before = left
      tables.objects.append((.undefined, 1))
      let value = try amf3Composite(marker, head >> 1, bytes, &cursor, depth: depth)
      tables.objects[slot] = (value, before - left + 1)
      return value
    }
  }

  private mutating func amf3Composite(
    _ marker: UInt8, _ head: UInt32, _ bytes: borrowing Span<UInt8>, _ cursor: inout ByteCursor,
    depth: Int
  ) throws(AMFError) -> AMFValue {
    let count = Int(head)
    switch marker {
    case AMF3Marker.xmlDocument, AMF3Marker.xml: return .xml(try string(count, bytes, &cursor))
    case AMF3Marker.date: return .date(try double(bytes, &cursor))
    case AMF3Marker.byteArray:
      do { return .bytes(try cursor.bytes(count, bytes)) } catch { throw .truncated }
    case AMF3Marker.array: return try amf3Array(count, bytes, &cursor, depth: depth)
    case AMF3Marker.object: return try amf3Object(head, bytes, &cursor, depth: depth)
    case AMF3Marker.vectorInt, AMF3Marker.vectorUInt, AMF3Marker.vectorDouble:
      return try amf3Numbers(marker, count, bytes, &cursor)
    case AMF3Marker.vectorObject:
      _ = try u8(bytes, &cursor)
      _ = try amf3String(bytes, &cursor)
      var array: [AMFValue] = []
      for _ in 0..<count { array.append(try amf3(bytes, &cursor, depth: depth + 1)) }
      return .array(array)
    case AMF3Marker.dictionary:
      _ = try u8(bytes, &cursor)
      var object = AMFObject()
      for _ in 0..<count {
        let key = try amf3(bytes, &cursor, depth: depth + 1)
        object.append(key.string ?? "", try amf3(bytes, &cursor, depth: depth + 1))
      }
      return .ecmaArray(object)
    default: throw .unknownMarker(marker)
    }
  }

  private mutating func amf3Array(
    _ count: Int, _ bytes: borrowing Span<UInt8>, _ cursor: inout ByteCursor, depth: Int
  ) throws(AMFError) -> AMFValue {
    var named = AMFObject()
    while true {
      let name = try amf3String(bytes, &cursor)
      if name.isEmpty { break }
      named.append(name, try amf3(bytes, &cursor, depth: depth + 1))
    }
    var array: [AMFValue] = []
    for _ in 0..<count { array.append(try amf3(bytes, &cursor, depth: depth + 1)) }
    guard !named.members.isEmpty else { return .array(array) }
    for (index, value) in array.enumerated() { named.append(String(index), value) }
    return .ecmaArray(named)
  }

  private mutating func amf3Numbers(
    _ marker: UInt8, _ count: Int, _ bytes: borrowing Span<UInt8>, _ cursor: inout ByteCursor
  ) throws(AMFError) -> AMFValue {
    _ = try u8(bytes, &cursor)
    var array: [AMFValue] = []
    for _ in 0..<count {
      try spend(1)
      switch marker {
      case AMF3Marker.vectorInt:
        array.append(.number(Double(Int32(bitPattern: try u32(bytes, &cursor)))))
      case AMF3Marker.vectorUInt: array.append(.number(Double(try u32(bytes, &cursor))))
      default: array.append(.number(try double(bytes, &cursor)))
      }
    }
    return .array(array)
  }

  private mutating func amf3Object(
    _ head: UInt32, _ bytes: borrowing Span<UInt8>, _ cursor: inout ByteCursor, depth: Int
  ) throws(AMFError) -> AMFValue {
    let traits = try amf3Traits(head, bytes, &cursor)
    var object = AMFObject()
    object.className = traits.className
    for name in traits.names {
      object.append(name, try amf3(bytes, &cursor, depth: depth + 1))
    }
    if traits.isDynamic {
      while true {
        let name = try amf3String(bytes, &cursor)
        if name.isEmpty { break }
        object.append(name, try amf3(bytes, &cursor, depth: depth + 1))
      }
    }
    return .object(object)
  }

  private mutating func amf3Traits(
    _ head: UInt32, _ bytes: borrowing Span<UInt8>, _ cursor: inout ByteCursor
  ) throws(AMFError) -> AMF3Tables.Traits {
    if head & 1 == 0 {
      let index = Int(head >> 1)
      guard index < tables.traits.count else { throw .badReference }
      return tables.traits[index]
    }
    guard head & 2 == 0 else { throw .externalizable }
    var traits = AMF3Tables.Traits()
    traits.isDynamic = head & 4 != 0
    traits.className = try amf3String(bytes, &cursor)
    for _ in 0..<(head >> 3) {
      try spend(1)
      traits.names.append(try amf3String(bytes, &cursor))
    }
    tables.traits.append(traits)
    return traits
  }

  private mutating func amf3Reference(_ index: Int) throws(AMFError) -> AMFValue {
    guard index < tables.objects.count else { throw .badReference }
    try spend(tables.objects[index].weight)
    return tables.objects[index].value
  }

  private mutating func amf3String(
    _ bytes: borrowing Span<UInt8>, _ cursor: inout ByteCursor
  ) throws(AMFError) -> String {
    let head = try u29(bytes, &cursor)
    if head & 1 == 0 {
      let index = Int(head >> 1)
      guard index < tables.strings.count else { throw .badReference }
      return tables.strings[index]
    }
    let text = try string(Int(head >> 1), bytes, &cursor)
    if !text.isEmpty { tables.strings.append(text) }
    return text
  }

  /// Reads a 29-bit unsigned integer of one to four bytes.
  private func u29(
    _ bytes: borrowing Span<UInt8>, _ cursor: inout ByteCursor
  ) throws(AMFError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<3 {
      let byte = try u8(bytes, &cursor)
      value = value << 7 | UInt32(byte & 0x7f)
      if byte & 0x80 == 0 { return value }
    }
    return value << 8 | UInt32(try u8(bytes, &cursor))
  }
}

/// The first byte of an AMF3 value.
enum AMF3Marker {
  static let undefined: UInt8 = 0x00
  static let null: UInt8 = 0x01
  static let `false`: UInt8 = 0x02
  static let `true`: UInt8 = 0x03
  static let integer: UInt8 = 0x04
  static let double: UInt8 = 0x05
  static let string: UInt8 = 0x06
  static let xmlDocument: UInt8 = 0x07
  static let date: UInt8 = 0x08
  static let array: UInt8 = 0x09
  static let object: UInt8 = 0x0a
  static let xml: UInt8 = 0x0b
  static let byteArray: UInt8 = 0x0c
  static let vectorInt: UInt8 = 0x0d
  static let vectorUInt: UInt8 = 0x0e
  static let vectorDouble: UInt8 = 0x0f
  static let vectorObject: UInt8 = 0x10
  static let dictionary: UInt8 = 0x11
}
