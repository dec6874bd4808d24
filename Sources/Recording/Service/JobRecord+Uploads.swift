import Foundation
import Storage
import Store

extension JobRecord {
  /// Where uploads have got to, by file.
  var uploads: [String: UploadCheckpoint] {
    get {
      (try? JSONDecoder().decode(
        [String: UploadCheckpoint].self, from: Data(checkpoint.utf8))) ?? [:]
    }
    set { checkpoint = String(json: newValue) }
  }
}
