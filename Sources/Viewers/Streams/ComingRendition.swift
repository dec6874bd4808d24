package import HTTPServer

/// A rendition of a live stream whose first segment is still being made.
package struct ComingRendition: Sendable, Equatable {
  /// The name in addresses, as bytes; empty where it isn't known which it will be.
  package let name: [UInt8]
  /// Who may have it: bit n is the viewers' plan n.
  package let viewers: UInt32

  package init(name: [UInt8], viewers: UInt32) {
    self.name = name
    self.viewers = viewers
  }
}

/// A quality that a node makes, though not of this stream.
package struct LackingRendition: Sendable {
  /// The name in addresses, as bytes.
  package let name: [UInt8]
  /// Why it isn't there.
  package let response: PreparedResponse

  package init(name: [UInt8], response: PreparedResponse) {
    self.name = name
    self.response = response
  }
}
