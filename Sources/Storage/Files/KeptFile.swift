/// A file for viewers, and where it may be: here, in the storage, or both.
///
/// Its bytes never change. Files of recordings and segments of live streams are sent from it.
package struct KeptFile: Sendable {
  /// Here, as long as it is.
  package let path: String
  package let bytes: Int
  package let contentType: String
  /// In the storage, once it is there.
  package let object: StoredObject?

  /// Names a file.
  ///
  /// - Parameters:
  ///   - path: here, as long as it is.
  ///   - bytes: how many it has.
  ///   - contentType: of what is in it.
  ///   - object: in the storage; nil where it is nowhere else.
  package init(path: String, bytes: Int, contentType: String, object: StoredObject? = nil) {
    self.path = path
    self.bytes = bytes
    self.contentType = contentType
    self.object = object
  }
}
