import Bytes
import Testing

@Suite struct `Byte cursor` {
  @Test func `big-endian fields come out as they were written`() throws {
    var bytes: [UInt8] = []
    bytes.append(u16: 0x0102)
    bytes.append(u24: 0x03_0405)
    bytes.append(u32: 0x0607_0809)
    bytes.append(u64: 0x0a0b_0c0d_0e0f_1011)
    #expect(bytes == Array(1...17))
    var cursor = ByteCursor()
    #expect(try cursor.u16(bytes.span) == 0x0102)
    #expect(try cursor.u24(bytes.span) == 0x03_0405)
    #expect(try cursor.u32(bytes.span) == 0x0607_0809)
    #expect(try cursor.u64(bytes.span) == 0x0a0b_0c0d_0e0f_1011)
    #expect(cursor.left(bytes.span) == 0)
  }

  @Test(arguments: 0..<4) func `a truncated field leaves the cursor where it was`(
    have: Int
  ) throws {
    let bytes = [UInt8](repeating: 1, count: have)
    var cursor = ByteCursor()
    #expect(throws: ByteError.truncated(needed: 4, have: have)) { try cursor.u32(bytes.span) }
    #expect(cursor.offset == 0)
    #expect(throws: ByteError.self) { try cursor.bytes(-1, bytes.span) }
  }
}
