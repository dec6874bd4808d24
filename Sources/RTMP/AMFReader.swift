package import Bytes

/// Reads the values of one AMF message.
///
/// One reader per message: references point into its tables. It takes no more memory than a
/// constant times the bytes given, whatever counts they declare.
///
/// - Note: Source: AMF 0 specification (2006); AMF 3 in `AMFReader+AMF3.swift`.
package struct AMFReader {
  let limits: AMFLimits
  var left: Int
  /// Finished objects that a reference may name, with how many values each is.
  private var objects: [(value: AMFValue, weight: Int)] = []
  var tables = AMF3Tables()

  package init(limits: AMFLimits = AMFLimits()) {
    self.limits = limits
    left = limits.values
  }

  /// Reads one AMF0 value (or, after the marker 0x11, one of AMF3).
  ///
  /// Object end markers where a value should stand are passed over: some encoders leave them.
  ///
  /// - Returns: nil at the end of the bytes.
  /// - Throws: `AMFError`; where the cursor then stands has no meaning.
  package mutating func next(
    _ bytes: borrowing Span<UInt8>, _ cursor: inout ByteCursor
  ) throws(AMFError) -> AMFValue? {
    while cursor.left(bytes) > 0, bytes[cursor.offset] == AMF0Marker.objectEnd {
      cursor.offset += 1
    }
    guard cursor.left(bytes) > 0 else { return nil }
    return try value(bytes, &cursor, depth: 0)
  }

  private mutating func value(
    _ bytes: borrowing Span<UInt8>, _ cursor: inout ByteCursor, depth: Int
  ) throws(AMFError) -> AMFValue {
    try spend(1)
    guard depth <= limits.depth else { throw .tooDeep }
    let marker = try u8(bytes, &cursor)
    switch marker {
    case AMF0Marker.number: return .number(try double(bytes, &cursor))
    case AMF0Marker.boolean: return .boolean(try u8(bytes, &cursor) != 0)
    case AMF0Marker.string: return .string(try shortString(bytes, &cursor))
    case AMF0Marker.longString: return .string(try longString(bytes, &cursor))
    case AMF0Marker.xml: return .xml(try longString(bytes, &cursor))
    case AMF0Marker.null: return .null
    case AMF0Marker.undefined, AMF0Marker.unsupported: return .undefined
    case AMF0Marker.date:
      let time = try double(bytes, &cursor)
      _ = try u16(bytes, &cursor)
      return .date(time)
    case AMF0Marker.reference: return try reference(Int(try u16(bytes, &cursor)))
    case AMF0Marker.object, AMF0Marker.typedObject, AMF0Marker.ecmaArray, AMF0Marker.strictArray:
      // The place in the table is taken before the members take theirs.
      let slot = objects.count
      let before = left
      objects.append((.undefined, 1))
      let value = try composite(marker, bytes, &cursor, depth: depth)
      objects[slot] = (value, before - left + 1)
      return value
    case AMF0Marker.switchToAMF3:
      tables = AMF3Tables()
      return try amf3(bytes, &cursor, depth: depth + 1)
    default: throw .unknownMarker(marker)
    }
  }

  private mutating func composite(
    _ marker: UInt8, _ bytes: borrowing Span<UInt8>, _ cursor: inout ByteCursor, depth: Int
  ) throws(AMFError) -> AMFValue {
    var object = AMFObject()
    switch marker {
    case AMF0Marker.strictArray:
      var array: [AMFValue] = []
      for _ in 0..<(try u32(bytes, &cursor)) {
        array.append(try value(bytes, &cursor, depth: depth + 1))
      }
      return .array(array)
    case AMF0Marker.ecmaArray:
      // The count is a hint; encoders write 0 or one too many.
      _ = try u32(bytes, &cursor)
      try members(of: &object, bytes, &cursor, depth: depth)
      return .ecmaArray(object)
    case AMF0Marker.typedObject:
      object.className = try shortString(bytes, &cursor)
      try members(of: &object, bytes, &cursor, depth: depth)
      return .object(object)
    default:
      try members(of: &object, bytes, &cursor, depth: depth)
      return .object(object)
    }
  }

  /// Reads members up to the end marker, or up to the end of the bytes: some forget the marker.
  private mutating func members(
    of object: inout AMFObject, _ bytes: borrowing Span<UInt8>, _ cursor: inout ByteCursor,
    depth: Int
  ) throws(AMFError) {
    while cursor.left(bytes) > 0 {
      let name = try shortString(bytes, &cursor)
      if cursor.left(bytes) > 0, bytes[cursor.offset] == AMF0Marker.objectEnd {
        cursor.offset += 1
        return
      }
      object.append(name, try value(bytes, &cursor, depth: depth + 1))
    }
  }

  private mutating func reference(_ index: Int) throws(AMFError) -> AMFValue {
    guard index < objects.count else { throw .badReference }
    // A value named by reference counts as often as it is named, so that a few bytes can't
    // unfold to a million values.
    try spend(objects[index].weight)
    return objects[index].value
  }

  // MARK: Pieces

  mutating func spend(_ count: Int) throws(AMFError) {
    guard left >= count else { throw .tooMany }
    left -= count
  }

  func u8(
    _ bytes: borrowing Span<UInt8>, _ cursor: inout ByteCursor
  ) throws(AMFError) -> UInt8 {
    do { return try cursor.u8(bytes) } catch { throw .truncated }
  }

  func u16(
    _ bytes: borrowing Span<UInt8>, _ cursor: inout ByteCursor
  ) throws(AMFError) -> UInt16 {
    do { return try cursor.u16(bytes) } catch { throw .truncated }
  }

  func u32(
    _ bytes: borrowing Span<UInt8>, _ cursor: inout ByteCursor
  ) throws(AMFError) -> UInt32 {
    do { return try cursor.u32(bytes) } catch { throw .truncated }
  }

  func double(
    _ bytes: borrowing Span<UInt8>, _ cursor: inout ByteCursor
  ) throws(AMFError) -> Double {
    do { return Double(bitPattern: try cursor.u64(bytes)) } catch { throw .truncated }
  }

  func shortString(
    _ bytes: borrowing Span<UInt8>, _ cursor: inout ByteCursor
  ) throws(AMFError) -> String {
    try string(Int(try u16(bytes, &cursor)), bytes, &cursor)
  }

  func longString(
    _ bytes: borrowing Span<UInt8>, _ cursor: inout ByteCursor
  ) throws(AMFError) -> String {
    try string(Int(try u32(bytes, &cursor)), bytes, &cursor)
  }

  /// Reads UTF-8; what is not UTF-8 is repaired.
  func string(
    _ count: Int, _ bytes: borrowing Span<UInt8>, _ cursor: inout ByteCursor
  ) throws(AMFError) -> String {
    do {
      return String(decoding: try cursor.bytes(count, bytes), as: UTF8.self)
    } catch { throw .truncated }
  }
}

/// The first byte of an AMF0 value.
enum AMF0Marker {
  static let number: UInt8 = 0x00
  static let boolean: UInt8 = 0x01
  static let string: UInt8 = 0x02
  static let object: UInt8 = 0x03
  static let null: UInt8 = 0x05
  static let undefined: UInt8 = 0x06
  static let reference: UInt8 = 0x07
  static let ecmaArray: UInt8 = 0x08
  static let objectEnd: UInt8 = 0x09
  static let strictArray: UInt8 = 0x0a
  static let date: UInt8 = 0x0b
  static let longString: UInt8 = 0x0c
  static let unsupported: UInt8 = 0x0d
  static let xml: UInt8 = 0x0f
  static let typedObject: UInt8 = 0x10
  static let switchToAMF3: UInt8 = 0x11
}
