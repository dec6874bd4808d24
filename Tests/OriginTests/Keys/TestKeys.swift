import Access

@testable import Origin

extension StreamKeyMaterial {
  /// Another one each time.
  static func random(wedding: String) -> StreamKeyMaterial {
    let key = StreamKeyMaker(secret: [7]).make(wedding: wedding, camera: "main", now: 0)
    return StreamKeyMaterial(id: key.id, bytes: key.bytes, wedding: wedding)
  }
}
