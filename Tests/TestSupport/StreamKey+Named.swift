package import Media

extension StreamKey {
  /// A key that is known to be one.
  package static func named(_ wedding: String, _ camera: String = "main") -> StreamKey {
    guard let key = StreamKey(wedding: wedding, camera: camera) else {
      preconditionFailure("\(wedding)/\(camera) can be no stream")
    }
    return key
  }
}
