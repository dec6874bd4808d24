package import HTTPSemantics
package import HTTPTypes

extension Request {
  /// A head made anew from a copy, for what was held and is to be answered as it was asked.
  ///
  /// What is too large for the limits is left out; it was within them when it came.
  package init(_ copy: HTTPRequest, limits: RequestLimits) {
    self.init(limits: limits)
    let method = Array(copy.method.rawValue.utf8)
    try? set(method: method.span)
    let target = Array((copy.path ?? "/").utf8)
    try? set(target: target.span)
    for field in copy.headerFields {
      let name = Array(field.name.canonicalName.utf8)
      let value = FieldText.bytes(field.value)
      try? add(name: name.span, value: value.span)
    }
  }
}
