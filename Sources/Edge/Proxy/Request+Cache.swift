import Cache
import HTTPSemantics
import HTTPTypes

extension Request {
  /// A copy of the fields that speak to caches.
  var cacheFields: HTTPFields {
    var fields = HTTPFields()
    forEachValue(.cacheControl) { value in
      fields.append(HTTPField(name: .cacheControl, value: String(copying: value)))
      return true
    }
    forEachValue(.pragma) { value in
      fields.append(HTTPField(name: .pragma, value: String(copying: value)))
      return true
    }
    return fields
  }
}
