import Media
import Testing

@testable import HLS

@Suite struct `Transport stream` {
  @Test func `the tables are what every other muxer writes`() {
    var output: [UInt8] = []
    TransportStreamTables.appendAssociation(continuity: 0, to: &output)
    TransportStreamTables.appendMap(
      hasVideo: true, hasAudio: true, version: 0, continuity: 5, to: &output)
    #expect(output.count == 376)
    #expect(
      Array(output.prefix(21)) == bytes("47400010 00 00b00d0001c100000001f0002ab104b2"))
    #expect(
      Array(output[188..<219])
        == bytes("47500015 00 02b0170001c10000e100f0001be100f0000fe101f0002f44b99b"))
    #expect(output[219...].allSatisfy { $0 == 0xFF })
  }

  @Test func `a PES header has its times, also beyond 33 bits`() {
    func header(_ pts: Int64, _ dts: Int64) -> [UInt8] {
      var muxed = [UInt8](repeating: 0, count: 188)
      let header = PESHeader(
        streamID: 0xE0, pts: MediaTime(ticks: pts), dts: MediaTime(ticks: dts), payloadBytes: nil)
      unsafe muxed.withUnsafeMutableBufferPointer { memory in
        var cursor = unsafe PacketCursor(
          memory, pid: 256, continuity: 0, bytes: header.count, reference: nil,
          isRandomAccess: false)
        header.write(to: &cursor)
      }
      return Array(muxed.suffix(header.count))
    }
    #expect(header(126_000, 126_000) == bytes("000001e0000084 8005 210007d861"))
    #expect(
      header(129_600, 126_000) == bytes("000001e0000084 c00a 310007f481 110007d861"))
    #expect(header(1 << 33 + 126_000, 1 << 33 + 126_000) == header(126_000, 126_000))
    #expect(header((1 << 33) - 1, (1 << 33) - 1).suffix(5) == [0x2F, 0xFF, 0xFF, 0xFF, 0xFF])
  }

  @Test func `a PES packet of any length fills its packets exactly`() {
    for (hasReference, breaks) in [(true, true), (true, false), (false, true), (false, false)] {
      for count in 1...600 {
        let size = PacketCursor.size(
          of: count, hasReference: hasReference, isDiscontinuity: breaks)
        var muxed = [UInt8](repeating: 0xAA, count: size)
        let data = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
        var filled = 0
        unsafe muxed.withUnsafeMutableBufferPointer { memory in
          var cursor = unsafe PacketCursor(
            memory, pid: 257, continuity: 14, bytes: count,
            reference: hasReference ? 0x1_2345_6789 : nil, isRandomAccess: true,
            isDiscontinuity: breaks)
          // In two pieces, so that a piece ends anywhere in a packet.
          cursor.write(Array(data.prefix(count / 3)))
          cursor.write(Array(data.dropFirst(count / 3)))
          filled = cursor.filled
        }
        #expect(filled == size)
        var payload: [UInt8] = []
        for start in stride(from: 0, to: size, by: 188) {
          #expect(muxed[start] == 0x47)
          let field = muxed[start + 3] & 0x20 != 0 ? Int(muxed[start + 4]) + 1 : 0
          payload += muxed[start + 4 + field..<start + 188]
        }
        #expect(payload == data)
        let flags = muxed[3] & 0x20 != 0 && muxed[4] > 0 ? muxed[5] : 0
        #expect(flags & 0x80 == (breaks ? 0x80 : 0))
        if hasReference {
          // 0x123456789 = base; one bit of it in the fifth byte.
          #expect(Array(muxed[6..<12]) == bytes("91a2b3c4 fe 00"))
        }
      }
    }
  }

  @Test func `an ADTS header describes its frame`() throws {
    var muxer = TransportStreamMuxer()
    muxer.setTracks(video: nil, audio: try Publisher.configuration(.aac, [0x12, 0x10]))
    var output: [UInt8] = []
    let frame = Frame(
      track: .audio, codec: .aac, dts: .zero, pts: .zero, isKeyframe: true,
      payload: [UInt8](repeating: 0x21, count: 371))
    #expect(muxer.writeAudio(frame, pts: .zero, to: &output))
    #expect(output.isEmpty)
    muxer.finishSegment(&output)
    var reader = TransportStreamReader()
    reader.read(TransportStreamReader.withTables(output))
    let packet = try #require(reader.packets.first)
    // LC, 44.1 kHz, stereo, 378 bytes.
    #expect(Array(packet.data.prefix(7)) == bytes("fff150802f5ffc"))
    #expect(reader.references == [900_000 - 63_000])
  }

  @Test func `sound that is too long for ADTS, and pictures without data, are refused`() throws {
    var muxer = TransportStreamMuxer()
    muxer.setTracks(
      video: try Publisher.configuration(.h264, Publisher.avc),
      audio: try Publisher.configuration(.aac, [0x12, 0x10]))
    var output: [UInt8] = []
    func audio(_ count: Int) -> Frame {
      Frame(
        track: .audio, codec: .aac, dts: .zero, pts: .zero, isKeyframe: true,
        payload: [UInt8](repeating: 1, count: count))
    }
    #expect(!muxer.writeAudio(audio(0), pts: .zero, to: &output))
    #expect(!muxer.writeAudio(audio(8_185), pts: .zero, to: &output))
    #expect(muxer.writeAudio(audio(8_184), pts: .zero, to: &output))
    for damaged in ["", "00", "00000000", "000000ff41", "000000020910"] {
      let frame = Frame(
        track: .video, codec: .h264, dts: .zero, pts: .zero, isKeyframe: true,
        payload: bytes(damaged))
      #expect(!muxer.writeVideo(frame, dts: .zero, pts: .zero, to: &output))
    }
    #expect(output.isEmpty)
  }

  @Test func `parameter sets go before a keyframe, unless it brings its own`() throws {
    var muxer = TransportStreamMuxer()
    muxer.setTracks(video: try Publisher.configuration(.h264, Publisher.avc), audio: nil)
    func types(_ payload: String, isKeyframe: Bool) -> [UInt8] {
      var output: [UInt8] = []
      let frame = Frame(
        track: .video, codec: .h264, dts: .zero, pts: .zero, isKeyframe: isKeyframe,
        payload: bytes(payload))
      muxer.writeVideo(frame, dts: .zero, pts: .zero, to: &output)
      var reader = TransportStreamReader()
      reader.read(TransportStreamReader.withTables(output))
      return TransportStreamReader.units(reader.packets.first?.data ?? []).map { $0[0] & 0x1F }
    }
    #expect(types("00000003658801", isKeyframe: true) == [9, 7, 8, 5])
    #expect(types("00000003418801", isKeyframe: false) == [9, 1])
    #expect(
      types("00000003674201 0000000268ce 00000003658801", isKeyframe: true) == [9, 7, 8, 5])
    #expect(types("0000000209f0 00000003658801", isKeyframe: true) == [9, 7, 8, 5])
  }
}

extension TransportStreamReader {
  /// Puts tables before packets, so that they are a segment.
  static func withTables(_ packets: [UInt8]) -> [UInt8] {
    var output: [UInt8] = []
    TransportStreamTables.appendAssociation(continuity: 0, to: &output)
    TransportStreamTables.appendMap(
      hasVideo: true, hasAudio: true, version: 0, continuity: 0, to: &output)
    return output + packets
  }
}
