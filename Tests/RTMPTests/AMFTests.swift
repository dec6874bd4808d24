import Bytes
import RTMP
import Testing

@Suite struct `AMF` {
  static let samples: [AMFValue] = [
    0, 1.5, -3, .number(.infinity), true, false, "", "live", .string("späť ✓"), .null, .undefined,
    .date(1_700_000_000_000), .xml("<a/>"), .bytes([0, 1, 255]), .array([]),
    .array([1, "two", .null, .array([true])]),
    .object(["app": "live", "nested": .object(["deep": .array([.object([:])])])]),
    .ecmaArray(["duration": 0, "width": 1920, "encoder": "obs"]),
    .string(String(repeating: "x", count: 70_000)),
    .array((0..<300).map { .number(Double($0)) }),
  ]

  static func amf0(
    _ bytes: [UInt8], limits: AMFLimits = AMFLimits()
  ) throws(AMFError) -> [AMFValue] {
    var reader = AMFReader(limits: limits)
    var cursor = ByteCursor()
    var values: [AMFValue] = []
    while let value = try reader.next(bytes.span, &cursor) { values.append(value) }
    return values
  }

  static func amf3(
    _ bytes: [UInt8], limits: AMFLimits = AMFLimits()
  ) throws(AMFError) -> AMFValue {
    var reader = AMFReader(limits: limits)
    var cursor = ByteCursor()
    let value = try reader.amf3(bytes.span, &cursor)
    return cursor.offset == bytes.count ? value : .string("\(cursor.offset) of \(bytes.count)")
  }

  @Test(arguments: samples) func `AMF0 values come back as they were written`(
    value: AMFValue
  ) throws {
    var bytes: [UInt8] = []
    bytes.append(amf0: value)
    #expect(try Self.amf0(bytes) == [value])
  }

  @Test(arguments: samples) func `AMF3 values come back as they were written`(
    value: AMFValue
  ) throws {
    var bytes: [UInt8] = []
    bytes.append(amf3: value)
    // An AMF3 array without names is a plain one.
    if value == .ecmaArray([:]) { return }
    #expect(try Self.amf3(bytes) == value)
  }

  @Test(arguments: samples) func `a value cut short anywhere is an error, never a trap`(
    value: AMFValue
  ) {
    var amf0: [UInt8] = []
    amf0.append(amf0: value)
    var amf3: [UInt8] = []
    amf3.append(amf3: value)
    // The end marker may be missing at the end of the bytes; everything else may not.
    for cut in stride(from: 1, to: min(amf0.count, 400), by: 1) {
      let result = Result { try Self.amf0(Array(amf0[..<cut])) }
      if case .success(let values) = result {
        #expect(values.first?.object != nil || cut == 0)
      }
    }
    for cut in 0..<min(amf3.count, 400) {
      #expect(throws: AMFError.self) { try Self.amf3(Array(amf3[..<cut])) }
    }
  }

  @Test func `0x11 switches one value to AMF3`() throws {
    var bytes: [UInt8] = [0x11]
    bytes.append(amf3: .object(["a": 1]))
    bytes.append(amf0: "after")
    #expect(try Self.amf0(bytes) == [.object(["a": 1]), "after"])
  }

  @Test func `object end markers where a value should stand are passed over`() throws {
    var bytes: [UInt8] = []
    bytes.append(amf0: "publish")
    bytes += [0x09, 0x09]
    bytes.append(amf0: 4)
    bytes.append(0x09)
    #expect(try Self.amf0(bytes) == ["publish", 4])
  }

  @Test func `the count of an ECMA array is a hint`() throws {
    for count: UInt8 in [0, 1, 9, 255] {
      let bytes: [UInt8] = [8, count, 0, 0, count, 0, 1, 0x61, 1, 1, 0, 0, 9]
      #expect(try Self.amf0(bytes) == [.ecmaArray(["a": true])])
    }
  }

  @Test func `an object whose end marker is missing ends with the bytes`() throws {
    let bytes: [UInt8] = [3, 0, 1, 0x61, 1, 1]
    #expect(try Self.amf0(bytes) == [.object(["a": true])])
  }

  @Test func `AMF0 references name objects met before`() throws {
    var bytes: [UInt8] = []
    bytes.append(amf0: .object(["a": true]))
    bytes += [0x07, 0, 0]
    #expect(try Self.amf0(bytes) == [.object(["a": true]), .object(["a": true])])
    #expect(throws: AMFError.badReference) { try Self.amf0([0x07, 0, 0]) }
  }

  @Test func `AMF3 references name strings, objects and traits met before`() throws {
    // {a: "a", b: {a: "x", …same traits}, c: reference to that} in an array.
    let bytes: [UInt8] = [
      0x09, 0x07, 0x01,  // array of 3
      0x0a, 0x13, 0x03, 0x43, 0x03, 0x61, 0x06, 0x02,  // C{a: "a"}: "C" is 0, "a" is 1
      0x0a, 0x01, 0x04, 0x2a,  // the same traits, a: 42
      0x0a, 0x02,  // the first object
    ]
    var first: AMFObject = ["a": "a"]
    first.className = "C"
    var second: AMFObject = ["a": 42]
    second.className = "C"
    #expect(try Self.amf3(bytes) == .array([.object(first), .object(second), .object(first)]))
  }

  @Test func `AMF3 integers have 29 bits and a sign`() throws {
    #expect(try Self.amf3([4, 0x7f]) == 127)
    #expect(try Self.amf3([4, 0x81, 0x00]) == 128)
    #expect(try Self.amf3([4, 0xff, 0xff, 0xff, 0xff]) == -1)
    #expect(try Self.amf3([4, 0xbf, 0xff, 0xff, 0xff]) == 268_435_455)
    #expect(try Self.amf3([4, 0xc0, 0x80, 0x80, 0x00]) == -268_435_456)
  }

  @Test func `AMF3 vectors and dictionaries are read`() throws {
    #expect(try Self.amf3([0x0d, 0x05, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 7]) == .array([-1, 7]))
    #expect(try Self.amf3([0x0e, 0x03, 0, 0xff, 0xff, 0xff, 0xff]) == .array([4_294_967_295]))
    #expect(try Self.amf3([0x10, 0x03, 0, 0x01, 0x06, 0x03, 0x61]) == .array(["a"]))
    #expect(try Self.amf3([0x11, 0x03, 0, 0x06, 0x03, 0x61, 0x03]) == .ecmaArray(["a": true]))
  }

  @Test func `nesting deeper than the limit is refused`() throws {
    var limits = AMFLimits()
    limits.depth = 8
    func nested(_ depth: Int) -> AMFValue {
      (0..<depth).reduce(.null) { value, _ in .array([value]) }
    }
    for (depth, fits) in [(8, true), (9, false), (5000, false)] {
      var amf0: [UInt8] = []
      var amf3: [UInt8] = []
      for _ in 0..<depth {
        amf0 += [0x0a, 0, 0, 0, 1]
        amf3 += [0x09, 0x03, 0x01]
      }
      amf0.append(5)
      amf3.append(1)
      if fits {
        #expect(try Self.amf0(amf0, limits: limits) == [nested(depth)])
        #expect(try Self.amf3(amf3, limits: limits) == nested(depth))
      } else {
        #expect(throws: AMFError.tooDeep) { try Self.amf0(amf0, limits: limits) }
        #expect(throws: AMFError.tooDeep) { try Self.amf3(amf3, limits: limits) }
      }
    }
  }

  @Test func `more values than the limit are refused`() throws {
    var limits = AMFLimits()
    limits.values = 100
    var bytes: [UInt8] = []
    bytes.append(amf0: .array(Array(repeating: .null, count: 99)))
    #expect(try Self.amf0(bytes, limits: limits).count == 1)
    bytes.append(amf0: .null)
    #expect(throws: AMFError.tooMany) { try Self.amf0(bytes, limits: limits) }
    // A vector of a thousand numbers.
    let vector = [0x0d, 0x8f, 0x51, 0] + [UInt8](repeating: 0, count: 4000)
    #expect(throws: AMFError.tooMany) { try Self.amf3(vector, limits: limits) }
  }

  /// Each array names the one before ten times: 10^n values from 30 bytes each.
  @Test func `references that multiply count as what they name`() {
    var amf0: [UInt8] = [0x0a, 0, 0, 0, 1, 5]
    var amf3: [UInt8] = [0x09, 0x13, 0x01, 0x09, 0x03, 0x01, 0x01]
    for level in 0..<8 {
      amf0 += [0x0a, 0, 0, 0, 10]
      for _ in 0..<10 { amf0 += [0x07, 0, UInt8(level)] }
      amf3 += [0x09, 0x15, 0x01]
      for _ in 0..<10 { amf3 += [0x09, UInt8(level + 1) << 1] }
    }
    // A failed expectation would print the hundred million values.
    let isRefused = ((try? Self.amf0(amf0)) == nil, (try? Self.amf3(amf3)) == nil)
    #expect(isRefused == (true, true))
  }

  @Test func `declared counts cost nothing`() {
    #expect(throws: AMFError.truncated) { try Self.amf0([0x0a, 0xff, 0xff, 0xff, 0xff]) }
    #expect(throws: AMFError.truncated) { try Self.amf0([0x0c, 0xff, 0xff, 0xff, 0xff, 1]) }
    #expect(throws: AMFError.truncated) { try Self.amf3([0x0c, 0xff, 0xff, 0xff, 0xff]) }
    #expect(throws: AMFError.truncated) { try Self.amf3([0x0a, 0xff, 0xff, 0xff, 0xfb, 1]) }
  }

  @Test func `what nobody can read is an error with its name`() {
    #expect(throws: AMFError.unknownMarker(0x20)) { try Self.amf0([0x20]) }
    #expect(throws: AMFError.unknownMarker(0x04)) { try Self.amf0([0x04]) }
    #expect(throws: AMFError.unknownMarker(0x30)) { try Self.amf3([0x30, 1]) }
    #expect(throws: AMFError.externalizable) { try Self.amf3([0x0a, 0x07, 0x03, 0x41]) }
    #expect(throws: AMFError.badReference) { try Self.amf3([0x06, 0x02]) }
  }

  @Test func `what is not UTF-8 is repaired`() throws {
    #expect(try Self.amf0([2, 0, 2, 0x61, 0xff]) == ["a\u{fffd}"])
  }

  @Test func `numbers that are no 32-bit ones are clamped or nothing`() {
    #expect(AMFValue.number(-1).uint32 == 0)
    #expect(AMFValue.number(1e20).uint32 == UInt32.max)
    #expect(AMFValue.number(.nan).uint32 == nil)
    #expect(AMFValue.string("1").uint32 == nil)
  }

  @Test(arguments: 0..<40) func `random bytes never trap`(seed: UInt64) {
    var random = FixedRandom(seed: seed)
    for _ in 0..<200 {
      let count = Int(random.next() % 80)
      // Small bytes are markers, so that something nests.
      let bytes = (0..<count).map { _ in
        random.next() % 3 == 0 ? UInt8(random.next() & 0xff) : UInt8(random.next() % 18)
      }
      // Each value takes a byte at least, whatever is left over.
      if let values = try? Self.amf0(bytes) { #expect(values.count <= bytes.count) }
      if (try? Self.amf3(bytes)) != nil { #expect(!bytes.isEmpty) }
      let (values, failure) = AMFValue.values(of: bytes.span, type: .commandAMF3)
      #expect(values.count <= bytes.count)
      if bytes.first != 0, failure == nil {
        #expect((try? Self.amf0(bytes))?.count == values.count)
      }
    }
  }
}

@Suite struct `Commands` {
  @Test func `a command comes back as it was written`() throws {
    let command = Command("publish", 5, [.null, "key", "live"])
    #expect(try Command(command.payload.span, type: .command) == command)
  }

  @Test func `an AMF3 command starts with a format byte`() throws {
    let command = Command("createStream", 2)
    let payload = [0] + command.payload
    #expect(try Command(payload.span, type: .commandAMF3) == command)
    #expect(try Command(command.payload.span, type: .commandAMF3) == command)
  }

  @Test func `bytes that are no AMF end the arguments, not the command`() throws {
    let payload = Command("publish", 5, [.null, "key"]).payload + [0x55, 1, 2]
    #expect(try Command(payload.span, type: .command).arguments == [.null, "key"])
  }

  @Test(arguments: [[], [5], [0, 1, 2], [2, 0, 9, 1]] as [[UInt8]])
  func `a command without a name is refused`(payload: [UInt8]) {
    let error = #expect(throws: ProtocolError.self) {
      try Command(payload.span, type: .command)
    }
    #expect(error?.code == .amf)
  }

  @Test func `the status of an answer is the first object with a code`() {
    let status = Status(.error, "NetStream.Publish.Denied", "No.")
    let read = Status([.null, .object(["version": 3]), status.value])
    #expect(read?.code == status.code && read?.text == "No." && read?.level == .error)
    #expect(Status([.null, "x"]) == nil)
  }
}

@Suite struct `Stream names` {
  @Test func `the query stands apart, decoded`() {
    let name = StreamName("wed%20ding?token=a%2Bb&x=1+2&flag&=v&token=c")
    #expect(name.path == "wed ding")
    #expect(name["token"] == "a+b")
    #expect(name["x"] == "1 2")
    #expect(name["flag"] == "")
    #expect(name[""] == "v")
    #expect(name["none"] == nil)
    #expect(name.query.count == 5)
    #expect(name.raw.hasPrefix("wed%20ding?"))
  }

  @Test(arguments: [
    ("", ""), ("?", ""), ("%", "%"), ("%4", "%4"), ("%zz", "%zz"), ("%41", "A"), ("a%00b", "a\0b"),
    ("a+b", "a+b"), ("%ff", "\u{fffd}"), ("%e2%9c%93", "✓"), ("%25%34%31", "%41"), ("..%2f", "../"),
  ])
  func `what is not percent-encoding stays as it is`(raw: String, path: String) {
    #expect(StreamName(raw).path == path)
  }

  @Test func `a name never shows in its description`() {
    let name = StreamName("secret-key?token=secret")
    #expect(!"\(name)".contains("secret"))
    #expect(!String(reflecting: name).contains("secret"))
  }

  @Test func `an application carries its instance and query`() {
    let request = ConnectRequest(["app": "live/room/a?token=t%20"])
    #expect(request.app == "live")
    #expect(request.instance == "room/a")
    #expect(request.query == [StreamName.QueryItem(name: "token", value: "t ")])
    #expect(ConnectRequest([:]).app == "")
    #expect(ConnectRequest(["app": 5, "tcUrl": .null]).tcUrl == "")
  }
}
