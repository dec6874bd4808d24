import Access
import Testing

@Suite struct `Stream key maker` {
  private let maker = StreamKeyMaker(secret: Array("a secret of thirty-two characters".utf8))

  @Test func `whoever has the secret makes a key again by its name`() {
    for camera in ["main", "c-2", "a.b_c-", "-", "6f1c0a5e-0b1e-4a53-9f43-2d0f9d2a8c11"] {
      let key = maker.make(wedding: "w", camera: camera, now: 1_796_013_383_999)
      #expect(key.camera == camera)
      #expect(key.created == 1_796_013_383_000)
      #expect(key.bytes.count == 16)
      let other = StreamKeyMaker(secret: Array("a secret of thirty-two characters".utf8))
      #expect(other.again(key.id, wedding: "w") == key)
    }
  }

  @Test func `no two keys are alike`() {
    let keys = (0..<100).map { _ in maker.make(wedding: "w", camera: "main", now: 0) }
    #expect(Set(keys.map(\.id)).count == 100)
    #expect(Set(keys.map(\.bytes)).count == 100)
  }

  @Test func `another wedding, another secret or a changed name is known as such`() {
    let key = maker.make(wedding: "w", camera: "main", now: 1_796_013_383_999)
    #expect(maker.again(key.id, wedding: "v") == nil)
    let stranger = StreamKeyMaker(secret: Array("another secret of the same length".utf8))
    #expect(stranger.again(key.id, wedding: "w") == nil)
    for index in key.id.indices {
      var changed = key.id
      changed.replaceSubrange(index...index, with: changed[index] == "x" ? "y" : "x")
      #expect(maker.again(changed, wedding: "w") == nil)
    }
    for count in 0..<key.id.count {
      #expect(maker.again(String(key.id.prefix(count)), wedding: "w") == nil)
    }
    #expect(maker.again("34d57z2rcxe1f8yepxdb", wedding: "w") == nil)
    #expect(maker.again("é" + key.id, wedding: "w") == nil)
    #expect(maker.again(key.id + "é", wedding: "w") == nil)
  }
}
