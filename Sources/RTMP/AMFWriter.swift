import Bytes

extension [UInt8] {
  /// Appends a value in AMF0.
  ///
  /// Strings are cut at 65,535 bytes where AMF0 has no longer form (names of members).
  package mutating func append(amf0 value: AMFValue) {
    switch value {
    case .number(let number):
      append(AMF0Marker.number)
      append(u64: number.bitPattern)
    case .boolean(let flag):
      append(AMF0Marker.boolean)
      append(flag ? 1 : 0)
    case .string(let text): append(amf0String: text)
    case .xml(let text):
      append(AMF0Marker.xml)
      append(long: text)
    case .null: append(AMF0Marker.null)
    case .undefined: append(AMF0Marker.undefined)
    case .date(let time):
      append(AMF0Marker.date)
      append(u64: time.bitPattern)
      append(u16: 0)
    case .object(let object):
      if object.className.isEmpty {
        append(AMF0Marker.object)
      } else {
        append(AMF0Marker.typedObject)
        append(short: object.className)
      }
      append(amf0Members: object)
    case .ecmaArray(let object):
      append(AMF0Marker.ecmaArray)
      append(u32: UInt32(clamping: object.members.count))
      append(amf0Members: object)
    case .array(let array):
      append(AMF0Marker.strictArray)
      append(u32: UInt32(clamping: array.count))
      for value in array { append(amf0: value) }
    case .bytes(let bytes):
      // AMF0 has no bytes: they travel as AMF3.
      append(AMF0Marker.switchToAMF3)
      append(amf3: .bytes(bytes))
    }
  }

  private mutating func append(amf0String text: String) {
    if text.utf8.count > 0xffff {
      append(AMF0Marker.longString)
      append(long: text)
    } else {
      append(AMF0Marker.string)
      append(short: text)
    }
  }

  private mutating func append(amf0Members object: AMFObject) {
    for member in object.members {
      append(short: member.name)
      append(amf0: member.value)
    }
    append(u16: 0)
    append(AMF0Marker.objectEnd)
  }

  private mutating func append(short text: String) {
    let bytes = text.utf8.prefix(0xffff)
    append(u16: UInt16(bytes.count))
    append(contentsOf: bytes)
  }

  private mutating func append(long text: String) {
    append(u32: UInt32(clamping: text.utf8.count))
    append(contentsOf: text.utf8)
  }

  /// Appends a value in AMF3, without references.
  package mutating func append(amf3 value: AMFValue) {
    switch value {
    case .number(let number):
      append(AMF3Marker.double)
      append(u64: number.bitPattern)
    case .boolean(let flag): append(flag ? AMF3Marker.true : AMF3Marker.false)
    case .string(let text):
      append(AMF3Marker.string)
      append(amf3Text: text)
    case .xml(let text):
      append(AMF3Marker.xml)
      append(amf3Text: text)
    case .null: append(AMF3Marker.null)
    case .undefined: append(AMF3Marker.undefined)
    case .date(let time):
      append(AMF3Marker.date)
      append(1)
      append(u64: time.bitPattern)
    case .object(let object):
      append(AMF3Marker.object)
      append(u29: 0b1011)
      append(amf3Text: object.className)
      append(amf3Members: object)
    case .ecmaArray(let object):
      append(AMF3Marker.array)
      append(1)
      append(amf3Members: object)
    case .array(let array):
      append(AMF3Marker.array)
      append(u29: UInt32(array.count) << 1 | 1)
      append(amf3Text: "")
      for value in array { append(amf3: value) }
    case .bytes(let bytes):
      append(AMF3Marker.byteArray)
      append(u29: UInt32(bytes.count) << 1 | 1)
      append(contentsOf: bytes)
    }
  }

  private mutating func append(amf3Members object: AMFObject) {
    for member in object.members where !member.name.isEmpty {
      append(amf3Text: member.name)
      append(amf3: member.value)
    }
    append(amf3Text: "")
  }

  private mutating func append(amf3Text text: String) {
    append(u29: UInt32(text.utf8.count) << 1 | 1)
    append(contentsOf: text.utf8)
  }

  private mutating func append(u29 value: UInt32) {
    switch value {
    case ..<0x80: append(UInt8(value))
    case ..<0x4000:
      append(UInt8(value >> 7) | 0x80)
      append(UInt8(value & 0x7f))
    case ..<0x20_0000:
      append(UInt8(value >> 14) | 0x80)
      append(UInt8(value >> 7 & 0x7f) | 0x80)
      append(UInt8(value & 0x7f))
    default:
      append(UInt8(value >> 22 & 0x7f) | 0x80)
      append(UInt8(value >> 15 & 0x7f) | 0x80)
      append(UInt8(value >> 8 & 0x7f) | 0x80)
      append(UInt8(value & 0xff))
    }
  }
}
