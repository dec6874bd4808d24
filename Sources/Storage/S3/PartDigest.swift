import Bytes
import Crypto
import Foundation

/// What is known of bytes before they are sent.
struct PartDigest: Equatable, Sendable {
  var sha256: [UInt8]
  var md5: [UInt8]

  /// The payload of a signature, and the checksum of a `StoredPart`.
  var hexadecimal: String { Hexadecimal.text(sha256) }

  /// As S3's own checksum headers have it.
  var base64: String { Data(sha256).base64EncodedString() }

  /// Whether an ETag is the MD5 of other bytes; one that is no MD5 says nothing.
  func isContradicted(by etag: String) -> Bool {
    guard let said = Hexadecimal.bytes(etag.lowercased()), said.count == 16 else { return false }
    return said != md5
  }
}

extension SourceFile {
  /// Reads a range once for all digests of it; it is added to that of the whole.
  func digest(of range: Range<Int>, adding whole: inout SHA256) throws(StorageError) -> PartDigest {
    var (sha256, md5) = (SHA256(), Insecure.MD5())
    var together = whole
    try chunks(of: range) { chunk in
      sha256.update(data: chunk)
      md5.update(data: chunk)
      together.update(data: chunk)
    }
    whole = together
    return PartDigest(sha256: Array(sha256.finalize()), md5: Array(md5.finalize()))
  }
}
