import CNGHTTP2
import HTTPSemantics

private let noCopy = UInt8(
  NGHTTP2_NV_FLAG_NO_COPY_NAME.rawValue | NGHTTP2_NV_FLAG_NO_COPY_VALUE.rawValue)

/// The `:status` of a response, from text that lives for ever.
enum StatusField {
  private static let name: StaticString = ":status"
  /// Three digits for each status, made once and never freed.
  // Only read once it is made, which Swift does once for all threads.
  nonisolated(unsafe) private static let digits: UnsafeMutablePointer<UInt8> = {
    let digits = UnsafeMutablePointer<UInt8>.allocate(capacity: 3 * 600)
    for status in 0..<600 {
      unsafe digits[status * 3] = UInt8(0x30 + status / 100)
      unsafe digits[status * 3 + 1] = UInt8(0x30 + status / 10 % 10)
      unsafe digits[status * 3 + 2] = UInt8(0x30 + status % 10)
    }
    return unsafe digits
  }()

  /// Writes the field to the front of a list; returns 1.
  static func write(_ status: Int, to fields: UnsafeMutablePointer<nghttp2_nv>) -> Int {
    let known = (100..<600).contains(status) ? status : 500
    unsafe fields.initialize(
      to: nghttp2_nv(
        name: UnsafeMutablePointer(mutating: name.utf8Start), value: digits + known * 3,
        namelen: name.utf8CodeUnitCount, valuelen: 3, flags: noCopy))
    return 1
  }
}

extension HeaderBlock {
  /// Writes the block's fields to a list that has room for them, from `start` on; returns where
  /// it ends.
  func write(to fields: UnsafeMutablePointer<nghttp2_nv>, at start: Int) -> Int {
    guard let base = unsafe bytes.baseAddress else { return start }
    let text = unsafe UnsafeMutablePointer(mutating: base)
    var at = start
    for index in unsafe 0..<entries.count {
      let entry = unsafe entries[index]
      unsafe (fields + at).initialize(
        to: nghttp2_nv(
          name: text + Int(entry.nameOffset), value: text + Int(entry.valueOffset),
          namelen: Int(entry.nameCount), valuelen: Int(entry.valueCount), flags: noCopy))
      at += 1
    }
    return at
  }
}
