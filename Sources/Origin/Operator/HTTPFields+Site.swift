package import HTTPTypes

extension HTTPFields {
  private static let fetchSite = HTTPField.Name("Sec-Fetch-Site")

  /// Whether a browser sends this for a page of somebody else.
  ///
  /// The admin port trusts whoever reaches it, and any page in a browser on the operator's machine
  /// can make that browser ask `http://127.0.0.1:9113/…`. Browsers say where such a request comes
  /// from; programs say nothing.
  package var isFromAnotherSite: Bool {
    if let name = Self.fetchSite, let site = self[name] {
      return site != "same-origin" && site != "none"
    }
    // To plain HTTP on any host but this machine browsers send no Sec-Fetch-Site; a POST has this.
    return self[.origin] != nil
  }
}
